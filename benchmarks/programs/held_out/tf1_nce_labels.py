# Word vectors: the labels of the sampled loss need a column.
#
# fault: train_labels is [batch], nce_loss takes [batch, 1]
# code: SW8 SW3 SW7 SW9
# named: train_labels | labels | target
# fix: tf.placeholder(tf.int32, [batch_size, 1])
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

batch_size, vocabulary, width = 32, 1000, 24
train_inputs = tf.placeholder(tf.int32, [batch_size])
train_labels = tf.placeholder(tf.int32, [batch_size])
embeddings = tf.Variable(tf.random_uniform([vocabulary, width], -1.0, 1.0))
embed = tf.nn.embedding_lookup(embeddings, train_inputs)
nce_weights = tf.Variable(tf.truncated_normal([vocabulary, width]))
nce_biases = tf.Variable(tf.zeros([vocabulary]))
loss = tf.nn.nce_loss(nce_weights, nce_biases, train_labels, embed, num_sampled=8, num_classes=vocabulary)
