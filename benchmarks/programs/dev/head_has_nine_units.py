# Nine units for ten classes.
#
# fault: the last Dense layer has 9 units, the labels have 10 classes
# code: SW8
# named: scores
# fix: Dense(10, …)
import keras
import numpy as np
from keras.layers import Dense, Dropout

num_classes = 10
x_train = np.random.rand(128, 784).astype("float32")
y_train = keras.utils.to_categorical(np.random.randint(0, num_classes, 128), num_classes)

model = keras.Sequential()
model.add(Dense(64, activation="relu", input_shape=(784,), name="hidden"))
model.add(Dropout(0.2))
model.add(Dense(num_classes - 1, activation="softmax", name="scores"))
model.compile(loss="categorical_crossentropy", optimizer="rmsprop", metrics=["accuracy"])
model.fit(x_train, y_train, batch_size=32, epochs=1, verbose=0)
