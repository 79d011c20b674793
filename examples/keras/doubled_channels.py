"""A residual block that tutorials show as broken because it "doubles the channels", and that is not.

They write the block with twice as many filters and say that it cannot be added to its input. Whether
it can depends on the input alone: here it has 64 channels, the block gives 64, and the addition is
what it looks like. See `silent_broadcast.py` for the input with which the same block really is wrong,
and raises nothing.
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
    inputs = keras.Input((28, 28, 64))
    x = doubled_block(inputs, filters=32)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10)(x)
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    features = np.random.rand(2, 28, 28, 64).astype("float32")
    print("input", features.shape)
    model = build_model()
    print("output", tuple(model(features).shape))
