# A transposed convolution is told to give a size that its stride does not give.
#
# fault: stride 2 makes 8 x 8 out of 4 x 4, output_shape says 10 x 10
# code: SW5
# named: upsampled | tf.nn.conv2d_transpose(small, kernel
# fix: output_shape=[16, 8, 8, 32]
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

small = tf.placeholder(tf.float32, [16, 4, 4, 64])
kernel = tf.Variable(tf.random_normal([5, 5, 32, 64]))
upsampled = tf.nn.conv2d_transpose(small, kernel, output_shape=[16, 10, 10, 32], strides=[1, 2, 2, 1])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(upsampled, {small: np.zeros((16, 4, 4, 64))})
