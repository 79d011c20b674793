# A U-Net with one valid convolution on the way down.
#
# fault: down2 has no padding="same"
# code: SW4
# named: down2
# fix: padding="same" in down2
from keras import Input, Model, layers

image = Input((64, 64, 1))
d1 = layers.Conv2D(16, 3, padding="same", activation="relu", name="down1")(image)
p1 = layers.MaxPooling2D()(d1)
d2 = layers.Conv2D(32, 3, activation="relu", name="down2")(p1)
p2 = layers.MaxPooling2D()(d2)
m = layers.Conv2D(64, 3, padding="same", activation="relu", name="bottom")(p2)
u2 = layers.Conv2DTranspose(32, 2, strides=2, name="up2")(m)
u2 = layers.concatenate([u2, d2])
u2 = layers.Conv2D(32, 3, padding="same", activation="relu")(u2)
u1 = layers.Conv2DTranspose(16, 2, strides=2, name="up1")(u2)
u1 = layers.concatenate([u1, d1])
model = Model(image, layers.Conv2D(1, 1, activation="sigmoid")(u1))
