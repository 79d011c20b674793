# A number is fed as a list.
#
# fault: the learning rate is fed as [0.01], the placeholder takes a number
# code: SW6 SW7
# named: learning_rate | rate
# fix: 0.01
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 3])
learning_rate = tf.placeholder(tf.float32, shape=[])
w = tf.Variable(tf.ones([3, 1]))
loss = tf.reduce_mean(tf.square(tf.matmul(x, w)))
step = tf.train.GradientDescentOptimizer(learning_rate).minimize(loss)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(step, {x: np.random.rand(10, 3), learning_rate: [0.01]})
