# A saved encoder is used on pictures with an alpha channel.
#
# fault: the pictures have 4 channels, the encoder takes 3
# code: SW5 SW6
# named: input | pictures
# fix: pictures[..., :3]
import keras
import numpy as np

encoder = keras.Sequential(
    [keras.Input((32, 32, 3)), keras.layers.Conv2D(8, 3, strides=2), keras.layers.GlobalMaxPooling2D()], name="encoder"
)
pictures = np.random.rand(5, 32, 32, 4).astype("float32")
codes = encoder(pictures)
