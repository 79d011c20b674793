# A recurrent network without a declared input is given a table.
#
# fault: x has two axes, the LSTM takes three
# code: SW6 SW7
# named: input | x_train | lstm | LSTM(16)
# fix: x_train[..., None]
import numpy as np
from tensorflow.keras.layers import LSTM, Dense
from tensorflow.keras.models import Sequential

x_train, y_train = np.random.rand(50, 8), np.random.rand(50)
model = Sequential([LSTM(16), Dense(1)])
model.compile("adam", "mse")
model.fit(x_train, y_train, epochs=1, verbose=0)
