# Three flowers, one unit.
#
# fault: the last layer has one unit, the one-hot labels have three columns
# code: SW8
# named: species
# fix: Dense(3, activation="softmax")
import numpy as np
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential
from tensorflow.keras.utils import to_categorical

X = np.random.rand(150, 4)
Y = to_categorical(np.repeat([0, 1, 2], 50))

model = Sequential()
model.add(Dense(8, input_dim=4, activation="relu", name="hidden"))
model.add(Dense(1, activation="softmax", name="species"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(X, Y, epochs=1, batch_size=5, verbose=0)
