# The product of the weights and the input, in the order of the textbook.
#
# fault: tf.matmul(W, x) should be tf.matmul(x, W)
# code: SW1
# named: W | tf.matmul(W, x) | x
# fix: tf.matmul(x, W)
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 5], name="x")
W = tf.Variable(tf.random_normal([5, 1]), name="W")
b = tf.Variable(0.0, name="b")
out = tf.matmul(W, x) + b
sess = tf.Session()
sess.run(tf.global_variables_initializer())
print(sess.run(out, {x: np.random.rand(8, 5)}))
