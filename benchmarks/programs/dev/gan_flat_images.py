# A GAN whose generator gives flat images to a discriminator that takes square ones.
#
# fault: the generator does not end in a reshape to (28, 28, 1)
# code: SW6 SW7 SW102
# named: generator | discriminator | pixels | generator.pixels | discriminator(generator(noise))
# fix: Reshape((28, 28, 1)) at the end of the generator
import keras
from keras import layers

generator = keras.Sequential(
    [keras.Input((100,)), layers.Dense(256), layers.Dense(784, name="pixels")], name="generator"
)
discriminator = keras.Sequential(
    [keras.Input((28, 28, 1)), layers.Conv2D(32, 3), layers.Flatten(), layers.Dense(1)], name="discriminator"
)
discriminator.trainable = False
noise = keras.Input((100,))
gan = keras.Model(noise, discriminator(generator(noise)))
