# The state of a decoder is made for a fixed batch.
#
# fault: the state has 32 rows, the fed batch has 20
# code: SW4 SW2 SW9
# named: state | tf.concat([x, state], 1) | x
# fix: tf.zeros([tf.shape(x)[0], 16])
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

batch_size = 32
x = tf.placeholder(tf.float32, [None, 8], name="x")
state = tf.zeros([batch_size, 16])
cell = tf.get_variable("cell", [24, 16])
following = tf.tanh(tf.matmul(tf.concat([x, state], 1), cell))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(following, {x: np.random.rand(20, 8)}).shape)
