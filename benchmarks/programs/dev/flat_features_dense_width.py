# Features of a network are flattened for a head that was made for pooled ones.
#
# fault: the head takes 512 numbers, a flattened map has 4608
# code: SW6 SW1
# named: features | head | flat | Flatten | input | classifier
# fix: GlobalAveragePooling2D() in place of Flatten()
import keras
from keras import layers

head = keras.Sequential([keras.Input((512,)), layers.Dense(64), layers.Dense(2)], name="head")
pictures = keras.Input((96, 96, 3))
x = layers.Conv2D(512, 3, strides=32, padding="same", name="features")(pictures)
x = layers.Flatten(name="flat")(x)
model = keras.Model(pictures, head(x))
