# A layer for every time step, after an LSTM that gives only the last one.
#
# fault: the LSTM does not return sequences
# code: SW6 SW7
# named: lstm_steps | TimeDistributed( | per_step
# fix: return_sequences=True
from keras.layers import LSTM, Dense, TimeDistributed
from keras.models import Sequential

model = Sequential()
model.add(LSTM(24, input_shape=(10, 5), name="lstm_steps"))
model.add(TimeDistributed(Dense(3), name="per_step"))
model.compile(loss="mse", optimizer="adam")
