# Two classes, one-hot, against one sigmoid.
#
# fault: the labels have two columns, the last layer has one unit
# code: SW8
# named: target | targets | label | labels | y | dense_1 | probability
# fix: Dense(2, activation="softmax"), or labels that are 0 and 1
import keras
import numpy as np
from keras import layers

x = np.random.rand(80, 12)
y = keras.utils.to_categorical(np.random.randint(0, 2, 80))

model = keras.Sequential(
    [layers.Dense(16, activation="relu"), layers.Dense(1, activation="sigmoid", name="probability")]
)
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(x, y, epochs=1, verbose=0)
