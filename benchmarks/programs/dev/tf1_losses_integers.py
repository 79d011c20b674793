# Class numbers for a loss that takes rows of classes.
#
# fault: y is [?], the loss takes [?, 3]
# code: SW8
# named: y | labels | target | onehot_labels
# fix: tf.one_hot(y, 3), or tf.losses.sparse_softmax_cross_entropy
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 4])
y = tf.placeholder(tf.int32, [None])
logits = tf.matmul(x, tf.get_variable("kernel", [4, 3]))
loss = tf.losses.softmax_cross_entropy(onehot_labels=y, logits=logits)
