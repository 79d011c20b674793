# A residual block whose second convolution has other filters than its input.
#
# fault: conv2 has 32 filters, the shortcut 64 channels
# code: SW2
# named: block1_conv2
# fix: Conv2D(64, …)
import keras
from keras import layers

inputs = keras.Input((32, 32, 3))
x = layers.Conv2D(64, 3, padding="same", name="stem")(inputs)
for block in range(3):
    shortcut = x
    y = layers.Conv2D(64, 3, padding="same", activation="relu", name=f"block{block}_conv1")(x)
    y = layers.Conv2D(32 if block == 1 else 64, 3, padding="same", name=f"block{block}_conv2")(y)
    x = layers.ReLU()(layers.Add()([shortcut, y]))
model = keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))
