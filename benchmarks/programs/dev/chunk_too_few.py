# A gate that splits its features in two and takes three names for the parts.
#
# fault: tf.split makes 2 parts, three are unpacked
# code: SW4
# named: tf.split(x, 2, axis=-1) | a, b, c | split
# fix: a, b = tf.split(x, 2, axis=-1)
import tensorflow as tf


class Gate(tf.keras.layers.Layer):
    def call(self, x):
        a, b, c = tf.split(x, 2, axis=-1)
        return a * tf.sigmoid(b) + c


model = tf.keras.Sequential([tf.keras.layers.Dense(16), Gate(), tf.keras.layers.Dense(2)])
print(model(tf.random.normal([4, 6])))
