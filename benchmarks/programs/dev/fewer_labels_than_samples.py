# A split that was applied to the samples and not to the labels.
#
# fault: 100 samples and 120 labels
# code: SW8 SW902
# named: y | target | targets | label | labels | x_train | x
# fix: y[:100]
import keras
import numpy as np
from keras import layers

x = np.random.rand(120, 8)
y = np.random.rand(120, 1)
x_train = x[:100]

model = keras.Sequential([layers.Dense(16, activation="relu"), layers.Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(x_train, y, epochs=1, verbose=0)
