"""The same network as classes: the stage that shrinks the image adds its input back as it is.

Its layers are made in `__init__` and called in `call`, so it fails when it is first given images.

Fault: `block2` halves height and width and doubles the channels on its main branch, and adds what it
was given: [2, 16, 16, 32] meets [2, 32, 32, 16]. It needs a projection with a stride of 2.
"""

import keras
import numpy as np
from keras import layers


class ResidualBlock(layers.Layer):
    def __init__(self, filters, strides=1):
        super().__init__()
        self.conv1 = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)
        self.bn1 = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(filters, 3, padding="same", use_bias=False)
        self.bn2 = layers.BatchNormalization()

    def call(self, x):
        out = keras.ops.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return keras.ops.relu(out + x)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Conv2D(16, 3, padding="same", use_bias=False)
        self.block1 = ResidualBlock(16)
        self.block2 = ResidualBlock(32, strides=2)
        self.pool = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(10)

    def call(self, x):
        x = self.block2(self.block1(self.stem(x)))
        return self.head(self.pool(x))


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    images = np.random.rand(2, 32, 32, 3).astype("float32")
    print("input", images.shape)
    print("output", tuple(Net()(images).shape))
