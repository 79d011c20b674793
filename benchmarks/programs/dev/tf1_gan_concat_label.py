# A conditional generator: noise and label do not have the same number of samples.
#
# fault: 16 rows of noise and 32 of labels are joined
# code: SW4 SW9
# named: noise | labels | joined | tf.concat([z, y], 1) | z | y
# fix: feed as many labels as there are rows of noise
import numpy as np
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

z = tf.placeholder(tf.float32, [None, 100], name="z")
y = tf.placeholder(tf.float32, [None, 10], name="y")
joined = tf.concat([z, y], 1)
W = tf.get_variable("W", [110, 784])
image = tf.sigmoid(tf.matmul(joined, W))
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    noise, labels = np.random.rand(16, 100), np.eye(10)[np.random.randint(0, 10, 32)]
    sess.run(image, {z: noise, y: labels})
