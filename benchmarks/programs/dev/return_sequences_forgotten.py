# Two recurrent layers, the first of which gives only its last step.
#
# fault: the first LSTM does not return sequences
# code: SW6 SW7
# named: first
# fix: return_sequences=True in the first LSTM
from tensorflow import keras
from tensorflow.keras import layers

inputs = keras.Input(shape=(30, 8))
x = layers.LSTM(64, name="first")(inputs)
x = layers.LSTM(32, name="second")(x)
outputs = layers.Dense(1)(x)
model = keras.Model(inputs, outputs)
