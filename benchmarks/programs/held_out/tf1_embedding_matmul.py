# The mean of the embedded words is multiplied with weights for one-hot words.
#
# fault: W has as many rows as the vocabulary, the vectors have 32 numbers
# code: SW1
# named: W | weights
# fix: tf.get_variable("W", [32, 2])
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

words = tf.placeholder(tf.int32, [None, 20])
table = tf.get_variable("table", [2000, 32])
mean = tf.reduce_mean(tf.nn.embedding_lookup(table, words), axis=1)
W = tf.get_variable("W", [2000, 2])
b = tf.get_variable("b", [2])
logits = tf.matmul(mean, W) + b
