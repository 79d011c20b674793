# Pretrained rows are assigned to a table of another width.
#
# fault: table has 64 columns, what is assigned to it 50
# code: SW9 SW6 SW2
# named: table | pretrained
# fix: tf.Variable(tf.zeros([1000, 50]))
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

table = tf.Variable(tf.zeros([1000, 64]), trainable=False)
pretrained = tf.placeholder(tf.float32, [1000, 50])
set_table = tf.assign(table, pretrained)
