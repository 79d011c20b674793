"""A functional residual network whose second block shrinks the image, and adds its input back as it is.

A functional model is put together before there is any data, so it fails while it is being built.

Fault: `block(x, 32, strides=2)` halves height and width and doubles the channels on its main branch,
and its shortcut is the input: [?, 16, 16, 32] meets [?, 32, 32, 16]. The shortcut needs a 1 x 1
convolution with a stride of 2.
"""

import keras
import numpy as np
from keras import layers


def block(x, filters, strides=1):
    shortcut = x
    x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Add()([x, shortcut])
    return layers.ReLU()(x)


def build_model():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(inputs)
    x = block(x, 16)
    x = block(x, 32, strides=2)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(10)(x)
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    images = np.random.rand(2, 32, 32, 3).astype("float32")
    print("input", images.shape)
    model = build_model()
    print("output", tuple(model(images).shape))
