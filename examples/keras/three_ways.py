"""Three ways to use shapewatch on a small healthy model: around a block, on a class, before any run."""

import keras
import numpy as np
from keras import layers

import shapewatch


class Residual(layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.inner = keras.Sequential([layers.Dense(2 * width, activation="relu"), layers.Dense(width)])

    def call(self, x):
        return x + self.inner(x)


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Dense(32)
        self.body = Residual(32)
        self.head = layers.Dense(4)

    def call(self, x):
        return self.head(self.body(self.stem(x)))


@shapewatch.watch
class WatchedNet(Net):
    """Every call is watched; a shape error leaves with the explanation added to it."""


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    rows = np.random.rand(8, 12).astype("float32")
    print("input", rows.shape)

    # A context manager watches whatever runs inside, and has the report after the block.
    model = Net()
    with shapewatch.watch(model) as session:
        output = model(rows)
    print("output", tuple(output.shape))
    for junction in session.report.junctions:
        print("junction", junction.kind, junction.layer, junction.status)

    # A decorated class runs as it did before.
    print("output", tuple(WatchedNet()(rows).shape))

    # A check computes nothing: it sends shapes through the model, and can do so before there is any data.
    report = shapewatch.check(Net(), input_shape=(8, 12))
    print("ok", report.ok)
