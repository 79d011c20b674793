"""A dense block whose layers each add 32 channels to what came before, except one that adds 24.

Keras layers find out by themselves how wide their input is, so no layer inside the block minds. What
does is the addition after it: a shortcut around the whole block, with the 192 channels that the block
is meant to give.

Fault: `dense1_conv` gives 24 channels instead of 32, so the block gives 184 channels and
the shortcut 192. The layer that raises is not the layer that is wrong.
"""

import keras
import numpy as np
from keras import layers


def dense_layer(features, growth, name):
    x = layers.BatchNormalization(name=f"{name}_norm")(features)
    x = layers.ReLU(name=f"{name}_relu")(x)
    x = layers.Conv2D(growth, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    return layers.Concatenate(name=f"{name}_concat")([features, x])


def build_model():
    inputs = keras.Input((32, 32, 3))
    stem = layers.Conv2D(64, 3, strides=2, padding="same", name="stem")(inputs)
    features = stem
    for index, growth in enumerate([32, 24, 32, 32]):
        features = dense_layer(features, growth, f"dense{index}")
    shortcut = layers.Conv2D(192, 1, name="shortcut")(stem)
    x = layers.Add(name="around")([features, shortcut])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    outputs = layers.Dense(10, name="head")(x)
    return keras.Model(inputs, outputs)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    images = np.random.rand(2, 32, 32, 3).astype("float32")
    print("input", images.shape)
    model = build_model()
    print("output", tuple(model(images).shape))
