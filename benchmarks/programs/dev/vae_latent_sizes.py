# Mean and spread of a variational autoencoder have different widths.
#
# fault: z_log_var has 3 units, z_mean has 2
# code: SW2
# named: z_log_var | z_mean
# fix: Dense(2, name="z_log_var")
import keras
from keras import layers, ops

inputs = keras.Input((784,))
h = layers.Dense(256, activation="relu")(inputs)
z_mean = layers.Dense(2, name="z_mean")(h)
z_log_var = layers.Dense(3, name="z_log_var")(h)


class Sampling(layers.Layer):
    def call(self, inputs):
        mean, log_var = inputs
        epsilon = keras.random.normal(ops.shape(mean))
        return mean + ops.exp(0.5 * log_var) * epsilon


z = Sampling(name="sample")([z_mean, z_log_var])
outputs = layers.Dense(784, activation="sigmoid")(layers.Dense(256, activation="relu")(z))
vae = keras.Model(inputs, outputs)
