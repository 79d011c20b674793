# Square images are fed for a placeholder of flat ones.
#
# fault: the images are not flattened
# code: SW6 SW7 SW3
# named: images | x
# fix: images.reshape(-1, 784)
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

images = np.random.rand(64, 28, 28)
x = tf.placeholder(tf.float32, shape=(None, 784), name="x")
W = tf.get_variable("W", [784, 64])
b = tf.get_variable("b", [64], initializer=tf.zeros_initializer())
code = tf.nn.sigmoid(tf.matmul(x, W) + b)

sess = tf.Session()
sess.run(tf.global_variables_initializer())
print(sess.run(code, {x: images}).shape)
