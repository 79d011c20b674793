# A convolutional autoencoder that gives smaller images than it takes.
#
# fault: one of the convolutions has no padding, so 28 pixels become 24
# code: SW8
# named: decode
# fix: padding="same" in the third convolution
import numpy as np
from keras import Input, Model, layers

images = np.random.rand(32, 28, 28, 1)

inputs = Input((28, 28, 1))
x = layers.Conv2D(16, 3, padding="same", activation="relu", name="encode")(inputs)
x = layers.MaxPooling2D(2)(x)
x = layers.Conv2D(16, 3, activation="relu", name="decode")(x)
x = layers.UpSampling2D(2)(x)
outputs = layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="image")(x)
autoencoder = Model(inputs, outputs)
autoencoder.compile(optimizer="adam", loss="mse")
autoencoder.fit(images, images, epochs=1, verbose=0)
