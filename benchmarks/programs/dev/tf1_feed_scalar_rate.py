# A list of rows of different lengths is fed.
#
# fault: x takes [None, 3], a single row is fed
# code: SW6 SW7
# named: x | row
# fix: feed [row]
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 3], name="x")
w = tf.get_variable("w", [3, 1])
y = tf.matmul(x, w)
row = [1.0, 2.0, 3.0]
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(y, feed_dict={x: row}))
