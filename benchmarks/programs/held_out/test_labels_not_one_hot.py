# Training labels are one-hot, those of the test were forgotten.
#
# fault: y_test is not one-hot
# code: SW8
# named: target | targets | label | labels | y_test | y
# fix: keras.utils.to_categorical(y_test, 6)
import keras
import numpy as np
from keras import layers

x_train, x_test = np.random.rand(60, 16), np.random.rand(30, 16)
y_train, y_test = np.random.randint(0, 6, 60), np.random.randint(0, 6, 30)
y_train = keras.utils.to_categorical(y_train, 6)

model = keras.Sequential(
    [keras.Input((16,)), layers.Dense(32, activation="relu"), layers.Dense(6, activation="softmax")]
)
model.compile(loss="categorical_crossentropy", optimizer="sgd", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=1, verbose=0)
print(model.evaluate(x_test, y_test, verbose=0))
