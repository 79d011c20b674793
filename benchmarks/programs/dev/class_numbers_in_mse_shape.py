# Labels of two columns for a regression of one number.
#
# fault: y has 2 columns that a single unit is compared with; logcosh cannot
# code: SW8 SW2
# named: y | target | dense_1 | output | value
# fix: Dense(2)
import keras
import numpy as np
from keras import layers

x, y = np.random.rand(30, 6), np.random.rand(30, 3)
model = keras.Sequential([layers.Dense(8), layers.Dense(2, name="value")])
model.compile("adam", "mae")
model.train_on_batch(x, y)
