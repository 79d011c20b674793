# A trained model is asked about one row.
#
# fault: the row has no batch axis
# code: SW7 SW6 SW1
# named: input | sample | batch
# fix: model.predict(sample[None])
import numpy as np
from tensorflow import keras

x = np.random.rand(60, 7)
y = np.random.rand(60, 1)
model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(10, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, epochs=1, verbose=0)
sample = x[0]
print(model.predict(sample, verbose=0))
