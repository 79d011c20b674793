# A model declared for one column more than the table has.
#
# fault: input_dim is 14, the table has 13 columns
# code: SW6 SW1
# named: input | input_dim=14 | first | X | Input
# fix: input_dim=13
import numpy as np
from keras.layers import Dense
from keras.models import Sequential

X = np.random.rand(200, 13)
Y = np.random.rand(200)

model = Sequential()
model.add(Dense(13, input_dim=14, activation="relu", name="first"))
model.add(Dense(1, name="price"))
model.compile(loss="mean_squared_error", optimizer="adam")
model.fit(X, Y, epochs=1, batch_size=20, verbose=0)
