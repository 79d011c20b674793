# A classifier of series that returns one answer for every step.
#
# fault: the last LSTM returns sequences
# code: SW8
# named: second | LSTM(16, return_sequences=True, name="second")
# fix: return_sequences=False in the second LSTM
import keras
import numpy as np
from keras.layers import LSTM, Dense

x = np.random.rand(48, 20, 6)
y = keras.utils.to_categorical(np.random.randint(0, 4, 48), 4)

model = keras.Sequential()
model.add(keras.Input((20, 6)))
model.add(LSTM(16, return_sequences=True, name="first"))
model.add(LSTM(16, return_sequences=True, name="second"))
model.add(Dense(4, activation="softmax", name="classes"))
model.compile(loss="categorical_crossentropy", optimizer="adam")
model.fit(x, y, epochs=1, verbose=0)
