# A network by hand: the first bias has the size of the second layer.
#
# fault: b1 has 10 numbers, the first product gives 64
# code: SW2
# named: b1
# fix: b1 = tf.Variable(tf.zeros([64]))
import tensorflow as tf

W1 = tf.Variable(tf.random.normal([20, 64]))
b1 = tf.Variable(tf.zeros([10]))
W2 = tf.Variable(tf.random.normal([64, 10]))
b2 = tf.Variable(tf.zeros([10]))


def network(x):
    hidden = tf.nn.relu(tf.add(tf.matmul(x, W1), b1))
    return tf.add(tf.matmul(hidden, W2), b2)


print(network(tf.random.normal([16, 20])).shape)
