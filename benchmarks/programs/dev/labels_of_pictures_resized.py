# A segmentation whose masks are larger than what the net gives.
#
# fault: the net halves the pictures, the masks are not halved
# code: SW8
# named: target | targets | masks | y | half | mask
# fix: an upsampling at the end
import keras
import numpy as np
from keras import layers

pictures = np.random.rand(8, 32, 32, 3)
masks = np.random.randint(0, 2, (8, 32, 32, 1)).astype("float32")
model = keras.Sequential(
    [
        keras.Input((32, 32, 3)),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(name="half"),
        layers.Conv2D(16, 3, padding="same", activation="relu"),
        layers.Conv2D(1, 1, activation="sigmoid", name="mask"),
    ]
)
model.compile("adam", "binary_crossentropy")
model.fit(pictures, masks, epochs=1, verbose=0)
