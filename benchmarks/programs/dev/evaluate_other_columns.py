# The test set was encoded by itself and has fewer columns.
#
# fault: x_test has 11 columns, the model was trained on 12
# code: SW6 SW1
# named: input | x_test
# fix: encode both sets with one encoder
import keras
import numpy as np
from keras import layers

x_train, x_test = np.random.rand(64, 12), np.random.rand(20, 11)
model = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x_train, np.random.rand(64), epochs=2, verbose=0)
model.evaluate(x_test, np.random.rand(20), verbose=0)
