"""A model with two faults that have nothing to do with each other; a run shows only the first.

`shapewatch check examples/keras/two_faults.py:Net --input 2x32x32x3` reports both at once: it goes
on past the first with a repair put in place on shapes alone.

Fault: `block2.conv2` gives 24 channels where its skip has 32, and further on `gate` gives 16 numbers
for the 32 channels that it is to weigh.
"""

import keras
import numpy as np
from keras import layers


class Block(layers.Layer):
    def __init__(self, filters, filters_out):
        super().__init__()
        self.conv1 = layers.Conv2D(filters, 3, padding="same", activation="relu")
        self.conv2 = layers.Conv2D(filters_out, 3, padding="same")

    def call(self, x):
        return keras.ops.relu(x + self.conv2(self.conv1(x)))


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Conv2D(32, 3, strides=2, padding="same")
        self.block1 = Block(32, 32)
        self.block2 = Block(32, 24)
        self.block3 = Block(32, 32)
        self.pool = layers.GlobalAveragePooling2D()
        self.gate = layers.Dense(16, activation="sigmoid")
        self.head = layers.Dense(10)

    def call(self, x):
        x = self.block3(self.block2(self.block1(self.stem(x))))
        x = self.pool(x)
        return self.head(x * self.gate(x))


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    images = np.random.rand(2, 32, 32, 3).astype("float32")
    print("input", images.shape)
    print("output", tuple(Net()(images).shape))
