# A placeholder without a shape: the fault shows only when the graph runs.
#
# fault: rows of 30 features are fed for weights of 31
# code: SW1
# named: W | X | features
# fix: tf.zeros([30, 1]), or a column of ones at the features
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

X = tf.placeholder(tf.float32)
Y = tf.placeholder(tf.float32)
W = tf.Variable(tf.zeros([31, 1]))
prediction = tf.matmul(X, W)
cost = tf.reduce_mean(tf.square(prediction - Y))
optimizer = tf.train.GradientDescentOptimizer(0.01).minimize(cost)

features = np.random.rand(200, 30)
prices = np.random.rand(200, 1)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(optimizer, feed_dict={X: features, Y: prices})
