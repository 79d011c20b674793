# A subclassed model that joins two feature maps along their height.
#
# fault: axis=1 in tf.concat should be the channels, axis=-1
# code: SW4
# named: tf.concat([a, b], axis=1) | two_ways | axis=1 | wide | narrow
# fix: tf.concat([a, b], axis=-1)
import tensorflow as tf
from tensorflow.keras import layers


class TwoWays(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.wide = layers.Conv2D(8, 5, padding="same")
        self.narrow = layers.Conv2D(16, 3, padding="same")
        self.head = layers.Conv2D(4, 1)

    def call(self, x):
        a, b = self.wide(x), self.narrow(x)
        return self.head(tf.concat([a, b], axis=1))


print(TwoWays()(tf.random.normal([2, 20, 20, 3])).shape)
