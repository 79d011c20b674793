# A convolutional network whose last layer works on every pixel.
#
# fault: no Flatten (or pooling) between the convolutions and the head
# code: SW8
# named: head | flatten | Flatten
# fix: Flatten() before Dense(3)
import keras
import numpy as np
from keras import layers

images = np.random.rand(32, 64, 64, 3)
labels = keras.utils.to_categorical(np.random.randint(0, 3, 32), 3)

model = keras.Sequential(
    [
        keras.Input((64, 64, 3)),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Dense(3, activation="softmax", name="head"),
    ]
)
model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, epochs=1, verbose=0)
