# A regression of two numbers with three outputs.
#
# fault: w gives 3 numbers, y has 2
# code: SW8 SW2
# named: w | prediction | predictions
# fix: tf.get_variable("w", [8, 2])
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 8])
y = tf.placeholder(tf.float32, [None, 2])
w = tf.get_variable("w", [8, 3])
prediction = tf.matmul(x, w)
loss = tf.losses.mean_squared_error(labels=y, predictions=prediction)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(loss, {x: np.random.rand(20, 8), y: np.random.rand(20, 2)})
