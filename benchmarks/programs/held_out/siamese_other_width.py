# Two towers that are meant to be alike.
#
# fault: the right tower ends in 64 numbers, the left in 128
# code: SW2
# named: left_embedding | right_embedding | tower(right, 64, "right_embedding")
# fix: 128 in both
import keras
from keras import layers


def tower(inputs, width, name):
    x = layers.Conv2D(16, 3, activation="relu")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(width, name=name)(x)


left = keras.Input((48, 48, 1))
right = keras.Input((48, 48, 1))
a = tower(left, 128, "left_embedding")
b = tower(right, 64, "right_embedding")
distance = layers.Lambda(lambda pair: keras.ops.abs(pair[0] - pair[1]))([a, b])
model = keras.Model([left, right], layers.Dense(1, activation="sigmoid")(distance))
