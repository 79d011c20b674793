# Two placeholders of no size are fed with batches of different sizes.
#
# fault: 64 inputs, 60 labels
# code: SW8 SW2
# named: y | labels | target | batch
# fix: the same slice of inputs and labels
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 20], name="x")
y = tf.placeholder(tf.int64, [None], name="y")
kernel = tf.get_variable("kernel", [20, 4])
logits = tf.matmul(x, kernel)
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
inputs = np.random.rand(124, 20)
labels = np.random.randint(0, 4, 124)
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    sess.run(loss, {x: inputs[:64], y: labels[64:]})
