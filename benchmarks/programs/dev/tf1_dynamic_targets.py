# Linear regression in a session, with a column of targets and predictions for another batch.
#
# fault: x has 40 rows, y has 50
# code: SW2 SW8 SW9
# named: x | y | train_y | train_x | tf.square(prediction - y)
# fix: feed the same number of rows
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

train_x, train_y = np.random.rand(40, 3), np.random.rand(50, 1)
x = tf.placeholder(tf.float32, [None, 3])
y = tf.placeholder(tf.float32, [None, 1])
w = tf.Variable(tf.random_normal([3, 1]))
prediction = tf.matmul(x, w)
cost = tf.reduce_mean(tf.square(prediction - y))
step = tf.train.GradientDescentOptimizer(0.01).minimize(cost)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(step, feed_dict={x: train_x, y: train_y})
