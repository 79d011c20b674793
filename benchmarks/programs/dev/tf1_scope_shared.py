# A network is built a second time for other inputs, with the first one's variables.
#
# fault: the second input has 48 features, the variables that are shared were made for 64
# code: SW9 SW1 SW6
# named: encoder/W | W | second | encode(second) | encode
# fix: an input of the same width, or a scope of its own
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()


def encode(inputs):
    with tf.variable_scope("encoder", reuse=tf.AUTO_REUSE):
        w = tf.get_variable("W", [int(inputs.shape[1]), 16])
        return tf.nn.tanh(tf.matmul(inputs, w))


first = tf.placeholder(tf.float32, [None, 64])
second = tf.placeholder(tf.float32, [None, 48])
distance = tf.reduce_sum(tf.square(encode(first) - encode(second)), axis=1)
