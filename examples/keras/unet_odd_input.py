"""A functional U-Net that halves the image twice, made for images of 65 x 65.

The decoder doubles what the encoder halved and sets the encoder's features beside it. That meets again
only if nothing was lost in halving: height and width have to be multiples of 4.

Fault: `pool1` turns 65 rows and columns into 32 and drops the last ones; `up1` gives 64, and the
skip still has 65. The model is sound; the size of its input does not suit it.
"""

import keras
import numpy as np
from keras import layers


def double_conv(x, filters, name):
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv1")(x)
    return layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{name}_conv2")(x)


def build_unet(size, classes=2):
    inputs = keras.Input((size, size, 1))
    fine = double_conv(inputs, 8, "encode1")
    coarse = double_conv(layers.MaxPooling2D(2, name="pool1")(fine), 16, "encode2")
    x = double_conv(layers.MaxPooling2D(2, name="pool2")(coarse), 32, "bottom")
    x = layers.Conv2DTranspose(16, 2, strides=2, name="up2")(x)
    x = layers.Concatenate(name="skip2")([coarse, x])
    x = double_conv(x, 16, "decode2")
    x = layers.Conv2DTranspose(8, 2, strides=2, name="up1")(x)
    x = layers.Concatenate(name="skip1")([fine, x])
    x = double_conv(x, 8, "decode1")
    outputs = layers.Conv2D(classes, 1, name="classify")(x)
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    scans = np.random.rand(1, 65, 65, 1).astype("float32")
    print("input", scans.shape)
    model = build_unet(size=65)
    print("output", tuple(model(scans).shape))
