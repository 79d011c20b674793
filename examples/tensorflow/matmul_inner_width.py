"""A network of two matrices in plain TensorFlow, in `tf.function`; the second counts the features wrongly.

Fault: `hidden` gives 120 features for each row, and `output` is a matrix for 84 of them.
"""

import tensorflow as tf


class Net(tf.Module):
    def __init__(self):
        super().__init__()
        self.hidden = tf.Variable(tf.random.normal((20, 120), stddev=0.1))
        self.bias = tf.Variable(tf.zeros(120))
        self.output = tf.Variable(tf.random.normal((84, 3), stddev=0.1))

    @tf.function
    def __call__(self, x):
        x = tf.nn.relu(tf.matmul(x, self.hidden) + self.bias)
        return tf.matmul(x, self.output)


if __name__ == "__main__":
    tf.random.set_seed(0)
    rows = tf.random.normal((8, 20))
    print("input", tuple(rows.shape))
    print("output", tuple(Net()(rows).shape))
