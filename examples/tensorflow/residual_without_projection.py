"""A residual block in plain TensorFlow: weights in a `tf.Module`, operations of `tf.nn`, and no projection.

There are no layers here, only variables and the operations that use them.

Fault: `block2` halves height and width and doubles the channels, and adds what it was given:
[2, 16, 16, 32] meets [2, 32, 32, 16].
"""

import tensorflow as tf


class Block(tf.Module):
    def __init__(self, channels_in, channels, stride=1):
        super().__init__()
        self.stride = stride
        self.kernel1 = tf.Variable(tf.random.normal((3, 3, channels_in, channels), stddev=0.1))
        self.kernel2 = tf.Variable(tf.random.normal((3, 3, channels, channels), stddev=0.1))

    def __call__(self, x):
        out = tf.nn.relu(tf.nn.conv2d(x, self.kernel1, strides=self.stride, padding="SAME"))
        out = tf.nn.conv2d(out, self.kernel2, strides=1, padding="SAME")
        return tf.nn.relu(out + x)


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.stem = tf.Variable(tf.random.normal((3, 3, 3, 16), stddev=0.1))
        self.block1 = Block(16, 16)
        self.block2 = Block(16, 32, stride=2)
        self.head = tf.Variable(tf.random.normal((32, 10), stddev=0.1))

    def __call__(self, x):
        x = tf.nn.conv2d(x, self.stem, strides=1, padding="SAME")
        x = self.block2(self.block1(x))
        return tf.matmul(tf.reduce_mean(x, axis=(1, 2)), self.head)


if __name__ == "__main__":
    tf.random.set_seed(0)
    images = tf.random.normal((2, 32, 32, 3))
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
