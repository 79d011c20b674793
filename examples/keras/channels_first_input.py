"""A sound convolutional net, given pictures with the channels in the first place.

Data sets prepared for PyTorch keep a picture as channels, height, width; Keras wants height, width,
channels.

Fault: the input is [2, 3, 48, 64], so the net would take the 64 columns for channels. The model is
right; the input's axes have to be put in order before it.
"""

import keras
import numpy as np
from keras import layers


def build_model():
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same", name="stem")(inputs)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="body")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(10, name="head")(x)
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    pictures = np.random.rand(2, 3, 48, 64).astype("float32")
    print("input", pictures.shape)
    model = build_model()
    print("output", tuple(model(pictures).shape))
