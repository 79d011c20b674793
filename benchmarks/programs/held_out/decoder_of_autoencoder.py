# An autoencoder whose three poolings give 4 pixels, and so 32 at the end.
#
# fault: 28 -> 14 -> 7 -> 4 with padding="same", then 8 -> 16 -> 32
# code: SW8
# named: pool3 | up1 | up2 | up3 | out | conv_up3
# fix: no padding in the last but one convolution (16 -> 14 pixels), or images of 32 x 32
import numpy as np
from keras import Input, Model, layers

x = inputs = Input((28, 28, 1))
for step, filters in enumerate([16, 8, 8], 1):
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{step}")(x)
    x = layers.MaxPooling2D(2, padding="same", name=f"pool{step}")(x)
for step, filters in enumerate([8, 8, 16], 1):
    x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv_up{step}")(x)
    x = layers.UpSampling2D(2, name=f"up{step}")(x)
outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="out")(x)
autoencoder = Model(inputs, outputs)
autoencoder.compile("adam", "binary_crossentropy")
images = np.random.rand(32, 28, 28, 1)
autoencoder.fit(images, images, epochs=1, verbose=0)
