# A model of two heads is given one array of labels.
#
# fault: fit gets one array of labels, the model has two outputs
# code: SW8
# named: y | target | targets | age | labels | sex
# fix: model.fit(x, [ages, sexes])
import keras
import numpy as np
from keras import layers

image = keras.Input((24,))
h = layers.Dense(16, activation="relu")(image)
age = layers.Dense(1, name="age")(h)
sex = layers.Dense(2, activation="softmax", name="sex")(h)
model = keras.Model(image, [age, sex])
model.compile("adam", ["mse", "sparse_categorical_crossentropy"])
ages = np.random.rand(32, 1)
model.fit(np.random.rand(32, 24), ages, verbose=0)
