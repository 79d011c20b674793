# Grey images are reshaped as if they had three colours.
#
# fault: [-1, 28, 28, 3], a grey image has 784 numbers
# code: SW3
# named: images | tf.reshape(flat, [-1, 28, 28, 3])
# fix: tf.reshape(flat, [-1, 28, 28, 1])
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

flat = tf.placeholder(tf.float32, [None, 784])
images = tf.reshape(flat, [-1, 28, 28, 3])
kernel = tf.get_variable("kernel", [5, 5, 3, 16])
conv = tf.nn.conv2d(images, kernel, strides=[1, 1, 1, 1], padding="SAME")
feature = tf.reduce_mean(conv, axis=[1, 2])

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(feature, {flat: np.random.rand(50, 784)})
