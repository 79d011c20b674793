# Heads of an attention, multiplied along the wrong letters.
#
# fault: the keys have their heads on axis 2, "bhkd" reads them on axis 1
# code: SW1
# named: tf.einsum("bhqd,bhkd->bhqk", q, k) | q | k | einsum
# fix: transpose both to [batch, heads, steps, depth]
import tensorflow as tf

tokens = tf.random.normal([2, 10, 64])
memory = tf.random.normal([2, 14, 64])
q = tf.reshape(tokens @ tf.random.normal([64, 64]), [2, 10, 8, 8])
k = tf.reshape(memory @ tf.random.normal([64, 64]), [2, 14, 8, 8])
scores = tf.einsum("bhqd,bhkd->bhqk", q, k)
