# Three recurrent layers, of which the second gives its last state only.
#
# fault: return_sequences is missing in the second LSTM
# code: SW6 SW7
# named: middle
# fix: LSTM(32, return_sequences=True)
from keras import Input, Model
from keras.layers import LSTM, Dense, Dropout

inputs = Input(shape=(25, 9))
x = LSTM(64, return_sequences=True, name="lower")(inputs)
x = Dropout(0.2)(x)
x = LSTM(32, name="middle")(x)
x = Dropout(0.2)(x)
x = LSTM(16, name="upper")(x)
model = Model(inputs, Dense(1)(x))
