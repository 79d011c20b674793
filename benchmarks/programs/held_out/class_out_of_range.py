# Labels from 1 to 5, for five units.
#
# fault: the labels count from 1, and five units take 0 to 4
# code: SW8 SW604
# named: target | targets | label | labels | y | rating
# fix: y - 1
import keras
import numpy as np
from keras import layers

x = np.random.rand(50, 8)
y = np.tile([1, 2, 3, 4, 5], 10)

model = keras.Sequential(
    [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(5, "softmax", name="rating")]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x, y, epochs=1, verbose=0)
