# A layer with its own weights, made in the constructor for another input.
#
# fault: kernel has 32 rows, the layer before gives 64
# code: SW1
# named: kernel | mix | shape=(32, 8) | hidden
# fix: shape=(64, 8)
import numpy as np
import tensorflow as tf


class Mix(tf.keras.layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.kernel = self.add_weight(shape=(32, 8), name="kernel")

    def call(self, x):
        return tf.matmul(x, self.kernel)


model = tf.keras.Sequential([tf.keras.layers.Dense(64, activation="relu", name="hidden"), Mix(name="mix")])
print(model(np.random.rand(10, 6).astype("float32")))
