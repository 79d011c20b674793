"""A healthy residual block in plain TensorFlow: where the image shrinks, the skip has a strided 1 x 1 kernel."""

import tensorflow as tf


class Block(tf.Module):
    def __init__(self, channels_in, channels, stride=1):
        super().__init__()
        self.stride = stride
        self.kernel1 = tf.Variable(tf.random.normal((3, 3, channels_in, channels), stddev=0.1))
        self.kernel2 = tf.Variable(tf.random.normal((3, 3, channels, channels), stddev=0.1))
        self.project = None
        if stride != 1 or channels_in != channels:
            self.project = tf.Variable(tf.random.normal((1, 1, channels_in, channels), stddev=0.1))

    def __call__(self, x):
        out = tf.nn.relu(tf.nn.conv2d(x, self.kernel1, strides=self.stride, padding="SAME"))
        out = tf.nn.conv2d(out, self.kernel2, strides=1, padding="SAME")
        if self.project is not None:
            x = tf.nn.conv2d(x, self.project, strides=self.stride, padding="SAME")
        return tf.nn.relu(out + x)


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.stem = tf.Variable(tf.random.normal((3, 3, 3, 16), stddev=0.1))
        self.block1 = Block(16, 16)
        self.block2 = Block(16, 32, stride=2)
        self.head = tf.Variable(tf.random.normal((32, 10), stddev=0.1))

    @tf.function
    def __call__(self, x):
        x = tf.nn.conv2d(x, self.stem, strides=1, padding="SAME")
        x = self.block2(self.block1(x))
        return tf.matmul(tf.reduce_mean(x, axis=(1, 2)), self.head)


if __name__ == "__main__":
    tf.random.set_seed(0)
    images = tf.random.normal((2, 32, 32, 3))
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
