# A one-dimensional convolution over rows of a table.
#
# fault: the data have no channel axis
# code: SW6 SW7
# named: input | filters | Conv1D(32, 3, | x | x_train
# fix: x_train[..., None] and input_shape=(100, 1)
import numpy as np
from keras.layers import Conv1D, Dense, Flatten, MaxPooling1D
from keras.models import Sequential

x_train = np.random.rand(64, 100)
y_train = np.random.randint(0, 2, (64, 1))

model = Sequential()
model.add(Conv1D(32, 3, activation="relu", input_shape=x_train.shape[1:], name="filters"))
model.add(MaxPooling1D(2))
model.add(Flatten())
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(x_train, y_train, epochs=1, verbose=0)
