# A convolution of images that are still flat.
#
# fault: x is not reshaped to images before the convolution
# code: SW7 SW5
# named: x | tf.nn.conv2d(x, kernel
# fix: tf.reshape(x, [-1, 28, 28, 1])
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 784])
kernel = tf.Variable(tf.truncated_normal([5, 5, 1, 32], stddev=0.1))
layer = tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME")
layer = tf.nn.relu(layer + tf.Variable(tf.zeros([32])))
