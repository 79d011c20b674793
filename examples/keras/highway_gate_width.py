"""Three highway layers that let a gate choose between a transform and the input; one transform is too wide.

A highway layer computes `gate * transform + (1 - gate) * x`, so gate, transform and input need the
same width.

Fault: `highways[1].transform` gives 96 features where its gate, its input and the layers around it
have 64.
"""

import keras
import numpy as np
from keras import layers


class Highway(layers.Layer):
    def __init__(self, width, transform_width):
        super().__init__()
        self.transform = layers.Dense(transform_width, activation="relu")
        self.gate = layers.Dense(width, activation="sigmoid")

    def call(self, x):
        transformed = self.transform(x)
        gate = self.gate(x)
        return gate * transformed + (1 - gate) * x


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Dense(64, activation="relu")
        self.highways = [Highway(64, 64), Highway(64, 96), Highway(64, 64)]
        self.head = layers.Dense(3)

    def call(self, x):
        x = self.stem(x)
        for highway in self.highways:
            x = highway(x)
        return self.head(x)


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    rows = np.random.rand(8, 20).astype("float32")
    print("input", rows.shape)
    print("output", tuple(Net()(rows).shape))
