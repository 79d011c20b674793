# A text network: the second filter is made for the words' vectors.
#
# fault: filter2 has 64 channels in, the first convolution gives 100
# code: SW5
# named: filter2
# fix: [3, 100, 100]
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

text = tf.placeholder(tf.float32, [None, 40, 50])
filter1 = tf.get_variable("filter1", [5, 50, 100])
bias1 = tf.get_variable("bias1", [100])
filter2 = tf.get_variable("filter2", [3, 64, 100])
one = tf.nn.relu(tf.nn.bias_add(tf.nn.conv1d(text, filter1, 1, "SAME"), bias1))
two = tf.nn.relu(tf.nn.conv1d(one, filter2, 1, "SAME"))
