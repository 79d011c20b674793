"""Three branches set side by side along the wrong axis.

Code that came from PyTorch joins feature maps on axis 1. Keras keeps the channels last, where
`Concatenate` joins unless it is told otherwise.

Fault: `join` joins along axis 1, the rows, so the channels would have to agree, and they are 16, 24
and 8. Along the last axis the three fit.
"""

import keras
import numpy as np
from keras import layers


def branch(x, filters, kernel_size, name):
    x = layers.Conv2D(filters, kernel_size, padding="same", name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def build_model():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(12, 3, strides=2, padding="same", name="stem")(inputs)
    narrow = branch(x, 16, 1, "narrow")
    middle = branch(x, 24, 3, "middle")
    wide = branch(x, 8, 5, "wide")
    x = layers.Concatenate(axis=1, name="join")([narrow, middle, wide])
    x = layers.Conv2D(32, 1, activation="relu", name="fuse")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(10, name="head")(x)
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    images = np.random.rand(2, 32, 32, 3).astype("float32")
    print("input", images.shape)
    model = build_model()
    print("output", tuple(model(images).shape))
