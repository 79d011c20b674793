# Three kinds of flowers, one-hot, and a last layer of a single unit.
#
# fault: the last layer has 1 unit, the labels have 3 columns
# code: SW8
# named: output
# fix: Dense(3, activation="softmax")
import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.utils import to_categorical

features = np.random.rand(150, 4)
species = to_categorical(np.repeat([0, 1, 2], 50))

model = Sequential()
model.add(Dense(16, input_dim=4, activation="relu", name="first"))
model.add(Dense(16, activation="relu", name="second"))
model.add(Dense(1, activation="sigmoid", name="output"))
model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
model.fit(features, species, epochs=1, batch_size=5, verbose=0)
