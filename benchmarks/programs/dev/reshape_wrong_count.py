# The seed of a picture generator has fewer numbers than its reshape wants.
#
# fault: Dense gives 6272 numbers, Reshape((8, 8, 128)) takes 8192
# code: SW3
# named: seed | square
# fix: Dense(8 * 8 * 128) or Reshape((7, 7, 128))
from tensorflow import keras
from tensorflow.keras import layers

generator = keras.Sequential(
    [
        keras.Input((100,)),
        layers.Dense(7 * 7 * 128, use_bias=False, name="seed"),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.Reshape((8, 8, 128), name="square"),
        layers.Conv2DTranspose(64, 5, strides=2, padding="same", use_bias=False),
        layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh"),
    ]
)
