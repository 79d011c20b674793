# A recurrent cell from tf.keras over a two-dimensional placeholder.
#
# fault: x has no time axis
# code: SW6 SW7
# named: x | input | inputs | lstm
# fix: tf.placeholder(tf.float32, [None, 28, 28])
import tensorflow.compat.v1 as tf

tf.disable_v2_behavior()

x = tf.placeholder(tf.float32, [None, 784])
cell = tf.keras.layers.LSTM(64, name="lstm")
state = cell(x)
logits = tf.keras.layers.Dense(10)(state)
