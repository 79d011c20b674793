# A colour model is shown a grey picture.
#
# fault: the picture has one channel, the model takes three
# code: SW5 SW6
# named: input | picture
# fix: np.repeat(picture, 3, axis=-1)
import numpy as np
from tensorflow.keras import Input, Model, layers

image = Input(shape=(48, 48, 3))
x = layers.Conv2D(16, 3, activation="relu")(image)
x = layers.GlobalAveragePooling2D()(x)
model = Model(image, layers.Dense(2, activation="softmax")(x))

picture = np.random.rand(1, 48, 48, 1)
print(model.predict(picture, verbose=0).argmax())
