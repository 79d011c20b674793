# A DCGAN: the generator gives 32 x 32 pixels, the discriminator takes 28 x 28.
#
# fault: the generator begins with 8 x 8 pixels instead of 7 x 7
# code: SW6 SW7
# named: generator | start | Reshape((8, 8, 64) | discriminator | discriminator(generator(z)) | unfold
# fix: Dense(7*7*64) and Reshape((7, 7, 64))
import keras
from keras import layers

generator = keras.Sequential(name="generator")
generator.add(keras.Input((64,)))
generator.add(layers.Dense(8 * 8 * 64, name="start"))
generator.add(layers.Reshape((8, 8, 64), name="unfold"))
generator.add(layers.Conv2DTranspose(32, 4, strides=2, padding="same", activation="relu"))
generator.add(layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"))

discriminator = keras.Sequential(name="discriminator")
discriminator.add(keras.Input((28, 28, 1)))
discriminator.add(layers.Conv2D(32, 4, strides=2, padding="same"))
discriminator.add(layers.Flatten())
discriminator.add(layers.Dense(1, activation="sigmoid"))

z = keras.Input((64,))
gan = keras.Model(z, discriminator(generator(z)))
