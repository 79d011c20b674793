# A transposed convolution with an output shape that its stride cannot give.
#
# fault: output_shape has 16 x 16 pixels, stride 2 makes 14 x 14 out of 7 x 7
# code: SW5
# named: up | tf.nn.conv2d_transpose(code, kernel, [8, 16, 16, 4]
# fix: [8, 14, 14, 4]
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

code = tf.placeholder(tf.float32, [8, 7, 7, 16])
kernel = tf.get_variable("kernel", [3, 3, 4, 16])
up = tf.nn.conv2d_transpose(code, kernel, [8, 16, 16, 4], strides=[1, 2, 2, 1], padding="SAME")
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(up, {code: np.random.rand(8, 7, 7, 16)}).shape)
