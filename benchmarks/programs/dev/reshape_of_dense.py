# The generator of a GAN whose first Dense layer is too small for the reshape.
#
# fault: 7*7*64 units, and a reshape to 7, 7, 128
# code: SW3
# named: project | reshape | Reshape((7, 7, 128) | Dense(7 * 7 * 64
# fix: Dense(7*7*128), or Reshape((7, 7, 64))
import keras
from keras import layers

generator = keras.Sequential(name="generator")
generator.add(layers.Input((100,)))
generator.add(layers.Dense(7 * 7 * 64, name="project"))
generator.add(layers.LeakyReLU(0.2))
generator.add(layers.Reshape((7, 7, 128), name="reshape"))
generator.add(layers.Conv2DTranspose(64, 4, strides=2, padding="same"))
generator.add(layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"))
