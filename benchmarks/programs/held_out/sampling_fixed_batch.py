# A variational autoencoder whose noise has the size of a full batch.
#
# fault: the noise has batch_size rows, the last batch is smaller
# code: SW2
# named: epsilon | batch_size | z_mean + tf.exp( | keras.random.normal((batch_size, 2)) | sampling
# fix: keras.random.normal(tf.shape(z_mean)), or data whose number is a multiple of the batch size
import keras
import numpy as np
import tensorflow as tf
from keras import layers

batch_size = 32


class Sampling(layers.Layer):
    def call(self, pair):
        z_mean, z_log_var = pair
        epsilon = keras.random.normal((batch_size, 2))
        return z_mean + tf.exp(0.5 * z_log_var) * epsilon


inputs = keras.Input((64,))
hidden = layers.Dense(16, activation="relu")(inputs)
z = Sampling(name="sampling")([layers.Dense(2, name="z_mean")(hidden), layers.Dense(2, name="z_log_var")(hidden)])
vae = keras.Model(inputs, layers.Dense(64, activation="sigmoid")(layers.Dense(16, activation="relu")(z)))
vae.compile("adam", "binary_crossentropy")
x = np.random.rand(100, 64)
vae.fit(x, x, batch_size=batch_size, epochs=1, verbose=0)
