# Validation data that did not go through the selection of features.
#
# fault: x_val has 30 features, the network was trained on 12
# code: SW1 SW6 SW7
# named: input | x_val | validation_data | hidden | x | data | sequential
# fix: x_val[:, :12]
import keras
import numpy as np
from keras import layers

x_train = np.random.rand(60, 30)[:, :12]
x_val = np.random.rand(20, 30)

model = keras.Sequential([layers.Dense(16, activation="relu", name="hidden"), layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x_train, np.random.rand(60), validation_data=(x_val, np.random.rand(20)), epochs=1, verbose=0)
