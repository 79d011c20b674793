# A residual block that shrinks its input and adds the input as it was.
#
# fault: strides=2 in the block without a projection of the shortcut
# code: SW2
# named: conv_a | add | shortcut | sum
# fix: strides=1, or a projection with strides=2
from keras import Input, Model, layers

inputs = Input((32, 32, 64))
x = layers.Conv2D(64, 3, strides=2, padding="same", name="conv_a")(inputs)
x = layers.ReLU()(layers.BatchNormalization()(x))
x = layers.Conv2D(64, 3, padding="same", name="conv_b")(x)
x = layers.Add(name="sum")([x, inputs])
model = Model(inputs, x)
