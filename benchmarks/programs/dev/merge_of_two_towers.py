# Two towers of features are joined along the batch.
#
# fault: Concatenate(axis=0) joins samples, not features
# code: SW4 SW8 SW9
# named: joined | Concatenate(axis=0
# fix: Concatenate(axis=-1)
import numpy as np
from keras import Input, Model, layers

text = Input((30,), name="text")
numbers = Input((6,), name="numbers")
left = layers.Dense(12, activation="relu", name="left")(text)
right = layers.Dense(8, activation="relu", name="right")(numbers)
both = layers.Concatenate(axis=0, name="joined")([left, right])
model = Model([text, numbers], layers.Dense(1, name="price")(both))
model.compile("adam", "mse")
model.fit([np.random.rand(64, 30), np.random.rand(64, 6)], np.random.rand(64, 1), epochs=1, verbose=0)
