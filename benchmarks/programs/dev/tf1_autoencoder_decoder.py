# A tied autoencoder that forgets to turn the weights of its decoder.
#
# fault: the decoder uses W as it is, and not transposed
# code: SW1
# named: W | tf.matmul(code, W)
# fix: tf.matmul(code, W, transpose_b=True)
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

X = tf.placeholder("float", [None, 784])
W = tf.Variable(tf.random_normal([784, 256]))
code = tf.nn.sigmoid(tf.matmul(X, W))
decoded = tf.nn.sigmoid(tf.matmul(code, W))
loss = tf.reduce_mean(tf.pow(X - decoded, 2))
