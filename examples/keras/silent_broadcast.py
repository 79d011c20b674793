"""A residual block on digits of one channel that runs without an error, and adds the digit to all 64.

`Add` broadcasts: an axis of length 1 is repeated as often as the other operand needs. With an input of
3 channels the same block would raise; with 1 it trains, and its shortcut hands on one feature where
it should hand on 64.

Fault: the shortcut is the input itself, [?, 28, 28, 1], and the main branch gives [?, 28, 28, 64]. The
shortcut needs a 1 x 1 convolution with 64 filters.
"""

import keras
import numpy as np
from keras import layers


def doubled_block(x, filters):
    shortcut = x
    x = layers.Conv2D(filters * 2, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(filters * 2, 3, padding="same")(x)
    x = layers.Add()([x, shortcut])
    return layers.ReLU()(x)


def build_model():
    inputs = keras.Input((28, 28, 1))
    x = doubled_block(inputs, filters=32)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10)(x)
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    digits = np.random.rand(2, 28, 28, 1).astype("float32")
    print("input", digits.shape)
    model = build_model()
    print("output", tuple(model(digits).shape))
