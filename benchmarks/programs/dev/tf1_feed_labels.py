# Labels are fed as integers for a placeholder of one-hot ones.
#
# fault: what is fed for y_ has no class axis
# code: SW8 SW6 SW7
# named: y_ | labels | batch_y
# fix: one-hot labels, or a placeholder [None] and sparse_softmax_cross_entropy_with_logits
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 784])
y_ = tf.placeholder(tf.float32, [None, 10])
W = tf.Variable(tf.zeros([784, 10]))
b = tf.Variable(tf.zeros([10]))
y = tf.matmul(x, W) + b
cross_entropy = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=y))
train_step = tf.train.GradientDescentOptimizer(0.5).minimize(cross_entropy)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for _ in range(3):
        batch_x = np.random.rand(100, 784)
        batch_y = np.random.randint(0, 10, 100)
        sess.run(train_step, feed_dict={x: batch_x, y_: batch_y})
