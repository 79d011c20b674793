# A network for large images is used on small ones.
#
# fault: 32 pixels are not enough for five poolings and an unpadded convolution
# code: SW5
# named: conv6 | pool5 | keras.Input((32, 32, 3))
# fix: padding="same" in conv6, fewer poolings, or larger images
import keras
from keras import layers

model = keras.Sequential([keras.Input((32, 32, 3))])
for step in range(1, 6):
    model.add(layers.Conv2D(16, 3, padding="same", activation="relu", name=f"conv{step}"))
    model.add(layers.MaxPooling2D(2, name=f"pool{step}"))
model.add(layers.Conv2D(32, 3, activation="relu", name="conv6"))
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(4))
