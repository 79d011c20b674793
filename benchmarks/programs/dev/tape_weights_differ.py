# A training loop with weights of its own.
#
# fault: w2 takes 256 numbers, w1 and b1 give 128
# code: SW1
# named: w2
# fix: w2 = tf.Variable(tf.random.normal([128, 10]))
import numpy as np
import tensorflow as tf

w1 = tf.Variable(tf.random.normal([784, 128], stddev=0.1))
b1 = tf.Variable(tf.zeros([128]))
w2 = tf.Variable(tf.random.normal([256, 10], stddev=0.1))
b2 = tf.Variable(tf.zeros([10]))
x = tf.constant(np.random.rand(32, 784), tf.float32)
y = tf.one_hot(np.random.randint(0, 10, 32), 10)

for _ in range(3):
    with tf.GradientTape() as tape:
        hidden = tf.nn.relu(x @ w1 + b1)
        logits = hidden @ w2 + b2
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(y, logits))
    gradients = tape.gradient(loss, [w1, b1, w2, b2])
    for variable, gradient in zip([w1, b1, w2, b2], gradients, strict=True):
        variable.assign_sub(0.01 * gradient)
