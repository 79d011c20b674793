# Weights of a network for ten classes are loaded into one for five.
#
# fault: the last layer had 10 units when it was saved, and has 5
# code: SW90
# named: scores
# fix: Dense(10, …), or skip_mismatch=True
import tempfile

import keras
from keras import layers


def network(classes):
    inputs = keras.Input((16,))
    x = layers.Dense(32, activation="relu", name="hidden")(inputs)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="scores")(x))


with tempfile.TemporaryDirectory() as folder:
    network(10).save_weights(f"{folder}/saved.weights.h5")
    model = network(5)
    model.load_weights(f"{folder}/saved.weights.h5")
