"""Deep MNIST convnet moved to 32x32 traffic signs (TF1 style)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_eager_execution()

IMAGE_SIZE = 32
CHANNELS = 3
CLASSES = 43
BATCH = 32


def weight_variable(shape):
    return tf1.Variable(tf1.truncated_normal(shape, stddev=0.1))


def bias_variable(shape):
    return tf1.Variable(tf1.constant(0.1, shape=shape))


def conv2d(x, W):
    return tf.nn.conv2d(x, W, strides=[1, 1, 1, 1], padding="SAME")


def max_pool_2x2(x):
    return tf.nn.max_pool2d(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")


def inference(images, keep_prob):
    W_conv1 = weight_variable([5, 5, CHANNELS, 16])
    b_conv1 = bias_variable([16])
    h_conv1 = tf.nn.relu(conv2d(images, W_conv1) + b_conv1)
    h_pool1 = max_pool_2x2(h_conv1)

    W_conv2 = weight_variable([5, 5, 16, 32])
    b_conv2 = bias_variable([32])
    h_conv2 = tf.nn.relu(conv2d(h_pool1, W_conv2) + b_conv2)
    h_pool2 = max_pool_2x2(h_conv2)

    flat_dim = 8 * 8 * 32
    W_fc1 = weight_variable([flat_dim, 128])
    b_fc1 = bias_variable([128])
    h_pool2_flat = tf.reshape(h_pool2, [-1, flat_dim])
    h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, W_fc1) + b_fc1)
    h_fc1_drop = tf.nn.dropout(h_fc1, rate=1 - keep_prob)

    W_fc2 = weight_variable([128, CLASSES])
    b_fc2 = bias_variable([CLASSES])
    return tf.matmul(h_fc1_drop, W_fc2) + b_fc2


class Signs:
    def __init__(self, n):
        self.images = np.random.rand(n, IMAGE_SIZE, IMAGE_SIZE, CHANNELS).astype("float32")
        self.labels = np.random.randint(0, CLASSES, size=n).astype("int64")
        self.i = 0

    def next_batch(self, k):
        if self.i + k > len(self.images):
            self.i = 0
        s = slice(self.i, self.i + k)
        self.i += k
        return self.images[s], self.labels[s]


def main():
    train, test = Signs(160), Signs(50)
    x = tf1.placeholder(tf.float32, [None, IMAGE_SIZE, IMAGE_SIZE, CHANNELS])
    y_ = tf1.placeholder(tf.int64, [None])
    keep_prob = tf1.placeholder(tf.float32)

    logits = inference(x, keep_prob)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_, logits=logits))
    train_step = tf1.train.AdamOptimizer(1e-4).minimize(loss)
    accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), y_), tf.float32))

    with tf1.Session() as sess:
        sess.run(tf1.global_variables_initializer())
        for step in range(10):
            bx, by = train.next_batch(BATCH)
            if step % 5 == 0:
                acc = accuracy.eval(feed_dict={x: bx, y_: by, keep_prob: 1.0})
                print("step %d, training accuracy %g" % (step, acc))
            train_step.run(feed_dict={x: bx, y_: by, keep_prob: 0.5})
        print("test accuracy %g" % accuracy.eval(feed_dict={x: test.images, y_: test.labels, keep_prob: 1.0}))


if __name__ == "__main__":
    main()
