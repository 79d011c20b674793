# Class numbers are fed where one-hot rows are expected.
#
# fault: y takes rows of 3, digits are numbers
# code: SW8 SW6 SW7
# named: y | targets | labels | Placeholder_1
# fix: np.eye(3)[targets]
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 4])
y = tf.placeholder(tf.float32, [None, 3])
W = tf.Variable(tf.zeros([4, 3]))
b = tf.Variable(tf.zeros([3]))
logits = tf.matmul(x, W) + b
loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=logits))
train = tf.train.AdamOptimizer().minimize(loss)

data, targets = np.random.rand(30, 4), np.random.randint(0, 3, 30)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(train, feed_dict={x: data, y: targets})
