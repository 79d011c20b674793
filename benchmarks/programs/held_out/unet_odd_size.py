# A U-Net with images whose size cannot be halved three times.
#
# fault: 100 is not divisible by 8: 25 becomes 12, and 12 becomes 24
# code: SW4
# named: down3 | MaxPooling2D(2, name="down3") | up3 | keras.Input((100, 100, 1))
# fix: images of 96 or 104 pixels, or padding="same" in the pooling
import keras
from keras import layers

inputs = keras.Input((100, 100, 1))
c1 = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
p1 = layers.MaxPooling2D(2, name="down1")(c1)
c2 = layers.Conv2D(16, 3, padding="same", activation="relu")(p1)
p2 = layers.MaxPooling2D(2, name="down2")(c2)
c3 = layers.Conv2D(32, 3, padding="same", activation="relu")(p2)
p3 = layers.MaxPooling2D(2, name="down3")(c3)
c4 = layers.Conv2D(64, 3, padding="same", activation="relu")(p3)
u3 = layers.Conv2D(32, 3, padding="same")(layers.UpSampling2D(2, name="up3")(c4))
m3 = layers.concatenate([c3, u3], axis=3)
u2 = layers.Conv2D(16, 3, padding="same")(layers.UpSampling2D(2, name="up2")(m3))
m2 = layers.concatenate([c2, u2], axis=3)
u1 = layers.Conv2D(8, 3, padding="same")(layers.UpSampling2D(2, name="up1")(m2))
m1 = layers.concatenate([c1, u1], axis=3)
model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(m1))
