# One image is given to predict as it is.
#
# fault: the image has no batch axis
# code: SW6 SW7
# named: input | image | conv | batch | sequential
# fix: np.expand_dims(image, 0)
import keras
import numpy as np
from keras import layers

model = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        layers.Conv2D(8, 3, activation="relu", name="conv"),
        layers.Flatten(),
        layers.Dense(2, activation="softmax"),
    ]
)
model.compile("adam", "categorical_crossentropy")
image = np.random.rand(32, 32, 3)
print(model.predict(image, verbose=0))
