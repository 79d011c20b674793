# Pictures as PyTorch has them are given to Keras.
#
# fault: the pictures are [batch, channels, height, width]
# code: SW7 SW5 SW6
# named: input | images
# fix: images.transpose(0, 2, 3, 1)
import keras
import numpy as np
from keras import layers

images = np.random.rand(16, 3, 64, 64)
labels = np.random.randint(0, 2, 16)
model = keras.Sequential(
    [
        keras.Input((64, 64, 3)),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy")
model.fit(images, labels, epochs=1, verbose=0)
