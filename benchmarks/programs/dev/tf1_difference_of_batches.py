# Predictions for one batch are compared with the targets of another.
#
# fault: 40 inputs, 32 targets
# code: SW8 SW2
# named: y | target | tf.square(prediction - y)
# fix: targets of the same rows
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 6])
y = tf.placeholder(tf.float32, [None, 1])
w = tf.get_variable("w", [6, 1])
b = tf.get_variable("b", [1])
prediction = tf.matmul(x, w) + b
loss = tf.reduce_mean(tf.square(prediction - y))
train = tf.train.AdamOptimizer(0.01).minimize(loss)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run([train, loss], feed_dict={x: np.random.rand(40, 6), y: np.random.rand(32, 1)})
