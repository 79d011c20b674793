# A stateful network, made for batches of 32, predicts for one sample.
#
# fault: the batch size of a stateful network is fixed
# code: SW6 SW7 SW2
# named: input | memory | batch | batch_shape=(32, 10, 1) | x_new | sequential
# fix: a second model with batch_shape=(1, 10, 1) and the same weights
import keras
import numpy as np
from keras import layers

model = keras.Sequential()
model.add(keras.Input(batch_shape=(32, 10, 1)))
model.add(layers.LSTM(16, stateful=True, name="memory"))
model.add(layers.Dense(1))
model.compile("adam", "mse")
model.fit(np.random.rand(64, 10, 1), np.random.rand(64, 1), batch_size=32, epochs=1, shuffle=False, verbose=0)
x_new = np.random.rand(1, 10, 1)
print(model.predict(x_new, verbose=0))
