# One-hot labels for the sparse loss.
#
# fault: labels has a class axis, and the sparse loss takes integers
# code: SW8
# named: labels | target | targets
# fix: tf.argmax(labels, 1), or softmax_cross_entropy_with_logits_v2
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

inputs = tf.placeholder(tf.float32, [None, 100])
labels = tf.placeholder(tf.int32, [None, 5])
with tf.variable_scope("output"):
    kernel = tf.get_variable("kernel", [100, 5])
    bias = tf.get_variable("bias", [5], initializer=tf.zeros_initializer())
logits = tf.matmul(inputs, kernel) + bias
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
