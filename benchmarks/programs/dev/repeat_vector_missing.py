# A sequence autoencoder without the layer that repeats the code.
#
# fault: no RepeatVector between the encoder and the decoder
# code: SW6 SW7
# named: encoder | decoder | RepeatVector
# fix: RepeatVector(12) before the decoder
import numpy as np
from keras.layers import LSTM, Dense, TimeDistributed
from keras.models import Sequential

windows = np.random.rand(40, 12, 3)
model = Sequential()
model.add(LSTM(20, activation="relu", input_shape=(12, 3), name="encoder"))
model.add(LSTM(20, activation="relu", return_sequences=True, name="decoder"))
model.add(TimeDistributed(Dense(3)))
model.compile("adam", "mse")
model.fit(windows, windows, epochs=1, verbose=0)
