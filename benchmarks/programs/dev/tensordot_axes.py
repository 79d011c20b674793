# A table of vectors is contracted along the wrong axis.
#
# fault: axes=[[2], [1]] should be [[2], [0]]
# code: SW1
# named: tf.tensordot(states, context, axes=[[2], [1]]) | context | tensordot | states
# fix: axes=[[2], [0]]
import tensorflow as tf

states = tf.random.normal([4, 9, 32])
context = tf.Variable(tf.random.normal([32, 7]))
weights = tf.tensordot(states, context, axes=[[2], [1]])
