# A forecast by a recurrent net: the windows have no feature axis.
#
# fault: windows is [samples, steps], the LSTM takes [samples, steps, 1]
# code: SW6 SW7
# named: input | windows | lstm
# fix: windows[..., None]
import numpy as np
import tensorflow as tf

series = np.sin(np.arange(300) / 10)
windows = np.stack([series[i : i + 10] for i in range(280)])
following = series[10:290]

model = tf.keras.Sequential()
model.add(tf.keras.layers.LSTM(24, activation="tanh", name="lstm"))
model.add(tf.keras.layers.Dense(1))
model.compile(loss="mse", optimizer="adam")
model.fit(windows, following, epochs=1, verbose=0)
