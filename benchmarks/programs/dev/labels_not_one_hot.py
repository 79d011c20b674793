# A classifier of digits, with its labels as they were loaded.
#
# fault: the labels are integers, and the loss takes one-hot ones
# code: SW8
# named: target | targets | label | labels | y_train | loss
# fix: loss="sparse_categorical_crossentropy", or keras.utils.to_categorical(y_train)
import keras
import numpy as np
from keras import layers

x_train = np.random.rand(64, 28, 28, 1)
y_train = np.random.randint(0, 10, 64)

model = keras.Sequential()
model.add(layers.Input((28, 28, 1)))
model.add(layers.Conv2D(8, (3, 3), activation="relu"))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Flatten())
model.add(layers.Dense(32, activation="relu"))
model.add(layers.Dense(10, activation="softmax"))
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=1, verbose=0)
