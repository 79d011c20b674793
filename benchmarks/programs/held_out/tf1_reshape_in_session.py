# Pictures of 32 x 32 x 3 are read as those of digits.
#
# fault: the reshape is made for 28 x 28 x 1, x holds 3072 numbers
# code: SW3
# named: pictures | tf.reshape(x, [-1, 28, 28, 1])
# fix: tf.reshape(x, [-1, 32, 32, 3])
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 3072])
pictures = tf.reshape(x, [-1, 28, 28, 1])
kernel = tf.Variable(tf.random_normal([3, 3, 1, 8]))
features = tf.nn.conv2d(pictures, kernel, strides=[1, 1, 1, 1], padding="SAME")
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(features, {x: np.random.rand(10, 3072)}).shape)
