# The sizes of the weights are the wrong way round.
#
# fault: W is [10, 784]
# code: SW1
# named: W
# fix: W = tf.Variable(tf.zeros([784, 10]))
import tensorflow.compat.v1 as tf

tf.disable_eager_execution()

x = tf.placeholder(tf.float32, [None, 784], name="input")
W = tf.Variable(tf.zeros([10, 784]), name="W")
b = tf.Variable(tf.zeros([10]), name="b")
y = tf.nn.softmax(tf.add(tf.matmul(x, W), b))
