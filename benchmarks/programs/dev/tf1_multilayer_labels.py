# The labels of a multilayer perceptron in TensorFlow 1 have one class more.
#
# fault: y is [None, 11], the output layer gives 10
# code: SW8
# named: weights_out | y | logits | out
# fix: 11 columns in weights_out, or 10 in y
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 100])
y = tf.placeholder(tf.float32, [None, 11])
weights_h = tf.Variable(tf.random_normal([100, 50]))
weights_out = tf.Variable(tf.random_normal([50, 10]))
hidden = tf.nn.relu(tf.matmul(x, weights_h))
logits = tf.matmul(hidden, weights_out)
cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits_v2(logits=logits, labels=y))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(cost, {x: np.random.rand(8, 100), y: np.random.rand(8, 11)})
