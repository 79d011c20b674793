# The flattened size is that of padded convolutions, and one of them is not padded.
#
# fault: padding="VALID" in the second convolution leaves 5 x 5 pixels for a reshape that counts on 7 x 7
# code: SW3 SW8
# named: h_flat | tf.reshape(pool2, [-1, 7 * 7 * 64]) | padding="VALID" | conv2
# fix: padding="SAME", or 5 * 5 * 64
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 28, 28, 1])
y = tf.placeholder(tf.float32, [None, 10])
w1 = tf.Variable(tf.truncated_normal([5, 5, 1, 32], stddev=0.1))
w2 = tf.Variable(tf.truncated_normal([5, 5, 32, 64], stddev=0.1))
w3 = tf.Variable(tf.truncated_normal([7 * 7 * 64, 10], stddev=0.1))
conv1 = tf.nn.relu(tf.nn.conv2d(x, w1, strides=[1, 1, 1, 1], padding="SAME"))
pool1 = tf.nn.max_pool(conv1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
conv2 = tf.nn.relu(tf.nn.conv2d(pool1, w2, strides=[1, 1, 1, 1], padding="VALID"))
pool2 = tf.nn.max_pool(conv2, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
h_flat = tf.reshape(pool2, [-1, 7 * 7 * 64])
logits = tf.matmul(h_flat, w3)
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y, logits=logits))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(loss, {x: np.random.rand(50, 28, 28, 1), y: np.eye(10)[np.random.randint(0, 10, 50)]})
