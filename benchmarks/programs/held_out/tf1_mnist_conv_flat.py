# The classic deep net for digits: the flat size after two poolings.
#
# fault: the fully connected weights expect 14*14*64, two poolings leave 7*7*64
# code: SW3 SW1 SW8
# named: W_fc1 | h_pool2_flat | tf.reshape(h_pool2, [-1, 14 * 14 * 64]) | logits
# fix: 7 * 7 * 64 in W_fc1 and in the reshape
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 784])
y_ = tf.placeholder(tf.float32, [None, 10])
x_image = tf.reshape(x, [-1, 28, 28, 1])

W_conv1 = tf.Variable(tf.truncated_normal([5, 5, 1, 32], stddev=0.1))
h_conv1 = tf.nn.relu(tf.nn.conv2d(x_image, W_conv1, strides=[1, 1, 1, 1], padding="SAME"))
h_pool1 = tf.nn.max_pool(h_conv1, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
W_conv2 = tf.Variable(tf.truncated_normal([5, 5, 32, 64], stddev=0.1))
h_conv2 = tf.nn.relu(tf.nn.conv2d(h_pool1, W_conv2, strides=[1, 1, 1, 1], padding="SAME"))
h_pool2 = tf.nn.max_pool(h_conv2, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")

W_fc1 = tf.Variable(tf.truncated_normal([14 * 14 * 64, 128], stddev=0.1))
h_pool2_flat = tf.reshape(h_pool2, [-1, 14 * 14 * 64])
h_fc1 = tf.nn.relu(tf.matmul(h_pool2_flat, W_fc1))
W_fc2 = tf.Variable(tf.truncated_normal([128, 10], stddev=0.1))
logits = tf.matmul(h_fc1, W_fc2)
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=logits))

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    labels = np.eye(10)[np.random.randint(0, 10, 50)]
    print(sess.run(loss, feed_dict={x: np.random.rand(50, 784), y_: labels}))
