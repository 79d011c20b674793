# Grey pictures without a channel axis, a model that declares nothing.
#
# fault: the pictures lack the axis of channels
# code: SW6 SW7 SW5
# named: input | x_train | conv2d
# fix: x_train[..., None]
import numpy as np
from tensorflow.keras import layers, models

x_train = np.random.rand(40, 28, 28)
y_train = np.random.randint(0, 10, 40)
model = models.Sequential()
model.add(layers.Conv2D(8, (3, 3), activation="relu"))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Flatten())
model.add(layers.Dense(10, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(x_train, y_train, verbose=0)
