# Logistic regression: the bias is as long as the input.
#
# fault: b has 784 numbers, there are 10 classes
# code: SW2
# named: b
# fix: b = tf.Variable(tf.zeros([10]))
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 784])
W = tf.Variable(tf.zeros([784, 10]))
b = tf.Variable(tf.zeros([784]))
y = tf.nn.softmax(tf.matmul(x, W) + b)
