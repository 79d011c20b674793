# A layer of one's own whose weights are made for the wrong axis of its input.
#
# fault: the weights have as many rows as there are steps, not features
# code: SW1
# named: score | w | scoring | shape=(input_shape[1], 1) | self.w
# fix: shape=(input_shape[-1], 1)
import tensorflow as tf
from tensorflow.keras import layers


class Score(layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(name="w", shape=(input_shape[1], 1))
        self.b = self.add_weight(name="b", shape=(1,))

    def call(self, x):
        return tf.squeeze(tf.matmul(x, self.w) + self.b, -1)


inputs = tf.keras.Input((20, 32))
outputs = Score(name="scoring")(inputs)
model = tf.keras.Model(inputs, outputs)
