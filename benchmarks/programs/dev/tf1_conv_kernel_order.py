# A kernel with its output channels before its input channels.
#
# fault: the kernel is [3, 3, 64, 32], 32 channels come in
# code: SW5
# named: kernel2
# fix: [3, 3, 32, 64]
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

images = tf.placeholder(tf.float32, [None, 32, 32, 3])
kernel1 = tf.get_variable("kernel1", [3, 3, 3, 32])
first = tf.nn.relu(tf.nn.conv2d(images, kernel1, [1, 1, 1, 1], "SAME"))
kernel2 = tf.get_variable("kernel2", [3, 3, 64, 32])
second = tf.nn.relu(tf.nn.conv2d(first, kernel2, [1, 1, 1, 1], "SAME"))
