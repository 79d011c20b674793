# A recurrent network fed with a table.
#
# fault: x has two axes, the LSTM takes batch, time and features
# code: SW6 SW7
# named: input | lstm | LSTM(32, | x_train | x
# fix: x_train.reshape((64, 20, 1)) and input_shape=(20, 1)
import numpy as np
from keras.layers import LSTM, Dense
from keras.models import Sequential

x_train = np.random.rand(64, 20)
y_train = np.random.rand(64, 1)

model = Sequential()
model.add(LSTM(32, input_shape=x_train.shape[1:]))
model.add(Dense(1))
model.compile(loss="mse", optimizer="adam")
model.fit(x_train, y_train, epochs=1, verbose=0)
