# An inception block, one branch of which is not padded.
#
# fault: the 5x5 convolution has no padding="same"
# code: SW4
# named: tower5
# fix: padding="same"
import keras
from keras.layers import Concatenate, Conv2D, Flatten, MaxPooling2D

inputs = keras.Input((32, 32, 3))
one = Conv2D(16, 1, padding="same", activation="relu", name="tower1")(inputs)
three = Conv2D(16, 3, padding="same", activation="relu", name="tower3")(inputs)
five = Conv2D(16, 5, activation="relu", name="tower5")(inputs)
pooled = MaxPooling2D(3, strides=1, padding="same", name="tower_pool")(inputs)
block = Concatenate(axis=-1)([one, three, five, pooled])
model = keras.Model(inputs, keras.layers.Dense(10)(Flatten()(block)))
