# Images without an axis of channels.
#
# fault: conv2d takes 4 axes, images has 3
# code: SW7 SW5
# named: images | tf.nn.conv2d(images, kernel
# fix: tf.expand_dims(images, -1)
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

images = tf.placeholder(tf.float32, [None, 64, 64])
kernel = tf.get_variable("kernel", [3, 3, 1, 16])
features = tf.nn.conv2d(images, kernel, strides=[1, 1, 1, 1], padding="SAME")
