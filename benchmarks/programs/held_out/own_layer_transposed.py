# A layer of one's own whose kernel has its sizes the wrong way round.
#
# fault: the kernel is (units, width), the product wants (width, units)
# code: SW1
# named: linear | kernel | shape=(self.units, input_shape[-1]) | tf.matmul(inputs, self.kernel) | first
# fix: shape=(input_shape[-1], self.units)
import numpy as np
import tensorflow as tf


class Linear(tf.keras.layers.Layer):
    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(self.units, input_shape[-1]), initializer="glorot_uniform", name="kernel")
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, inputs):
        return tf.matmul(inputs, self.kernel) + self.bias


model = tf.keras.Sequential([Linear(16, name="first"), tf.keras.layers.ReLU(), Linear(3, name="last")])
model.compile("adam", "mse")
model.fit(np.random.rand(40, 12), np.random.rand(40, 3), epochs=1, verbose=0)
