# The number of samples is given as the size of one.
#
# fault: input_shape says (1000,), a sample has 20 numbers
# code: SW6 SW7 SW102
# named: dense | hidden | input_shape=(1000,)
# fix: input_shape=(20,)
import numpy as np
from tensorflow.keras.layers import Dense
from tensorflow.keras.models import Sequential

data = np.random.random((1000, 20))
labels = np.random.randint(2, size=(1000, 1))

model = Sequential()
model.add(Dense(32, activation="relu", input_shape=(1000,), name="hidden"))
model.add(Dense(1, activation="sigmoid"))
model.compile(optimizer="rmsprop", loss="binary_crossentropy")
model.fit(data, labels, epochs=1, batch_size=50, verbose=0)
