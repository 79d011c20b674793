# Rows of pixels are fed for a placeholder of images.
#
# fault: the rows are not reshaped to (28, 28, 1)
# code: SW6 SW7 SW3
# named: X | rows | data | batch
# fix: rows.reshape(-1, 28, 28, 1)
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

X = tf.placeholder(tf.float32, [None, 28, 28, 1], name="X")
kernel = tf.get_variable("kernel", [3, 3, 1, 8])
net = tf.nn.conv2d(X, kernel, [1, 2, 2, 1], "SAME")
mean = tf.reduce_mean(net)

with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    rows = np.random.rand(16, 784)
    print(sess.run(mean, feed_dict={X: rows}))
