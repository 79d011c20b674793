# Softmax regression with one bias too few.
#
# fault: b has 9 numbers for 10 classes
# code: SW2 SW1
# named: b
# fix: b = tf.Variable(tf.zeros([10]))
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 784])
W = tf.Variable(tf.zeros([784, 10]))
b = tf.Variable(tf.zeros([9]))
y = tf.nn.softmax(tf.matmul(x, W) + b)
