# The axes are put in another order before a layer that was built for the old one.
#
# fault: features are moved to the middle, and attention adds them to what was not moved
# code: SW2
# named: swap | sum | mix
# fix: a second Permute((2, 1)) before the sum
from keras import Input, Model, layers

inputs = Input((30, 16))
x = layers.Permute((2, 1), name="swap")(inputs)
x = layers.Dense(30, activation="gelu", name="mix")(x)
x = layers.Add(name="sum")([inputs, x])
model = Model(inputs, x)
