# Weights of attention that are applied along the wrong axis.
#
# fault: batch_dot over axis 2 of the encoded text, steps are on axis 1
# code: SW1
# named: tf.einsum("bt,bht->bh", weights, encoded) | weights | einsum
# fix: tf.einsum("bt,bth->bh", weights, encoded)
import tensorflow as tf


class Attention(tf.keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.score = tf.keras.layers.Dense(1)

    def call(self, encoded):
        weights = tf.nn.softmax(tf.squeeze(self.score(encoded), -1), axis=1)
        return tf.einsum("bt,bht->bh", weights, encoded)


model = tf.keras.Sequential([tf.keras.layers.LSTM(32, return_sequences=True), Attention(), tf.keras.layers.Dense(2)])
print(model(tf.random.normal([8, 15, 4])).shape)
