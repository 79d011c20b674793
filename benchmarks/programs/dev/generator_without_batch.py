# A generator of training data that yields single samples.
#
# fault: what the generator yields has no batch axis
# code: SW6 SW7 SW8
# named: input | dense | image | batch | sequential | samples | functional
# fix: yield whole batches, or image[None]
import keras
import numpy as np
from keras import layers


def samples():
    while True:
        image = np.random.rand(32, 32, 3)
        label = np.array([1.0])
        yield image, label


model = keras.Sequential(
    [keras.Input((32, 32, 3)), layers.Conv2D(8, 3), layers.GlobalMaxPooling2D(), layers.Dense(1, name="score")]
)
model.compile("adam", "binary_crossentropy")
model.fit(samples(), steps_per_epoch=4, epochs=1, verbose=0)
