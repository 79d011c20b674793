"""Four residual blocks of 32 channels, one of which gives 48, trained in a step of our own in `tf.function`.

Height and width agree everywhere; only the channels part.

Fault: `blocks[2].conv2` gives 48 channels where the skip, the other blocks and the classifier have
32: [4, 16, 16, 48] meets [4, 16, 16, 32].
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


class Block(layers.Layer):
    def __init__(self, hidden, filters):
        super().__init__()
        self.conv1 = layers.Conv2D(hidden, 3, padding="same", activation="relu")
        self.conv2 = layers.Conv2D(filters, 3, padding="same")

    def call(self, x):
        return x + self.conv2(self.conv1(x))


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.stem = layers.Conv2D(32, 3, padding="same")
        self.blocks = [Block(64, filters) for filters in (32, 32, 48, 32)]
        self.head = layers.Dense(10)

    def call(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(tf.reduce_mean(x, axis=(1, 2)))


@tf.function
def train_step(model, digits, labels):
    with tf.GradientTape() as tape:
        logits = model(digits, training=True)
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    for variable, gradient in zip(model.trainable_variables, gradients, strict=True):
        variable.assign_sub(0.01 * gradient)
    return logits


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    digits = np.random.rand(4, 16, 16, 1).astype("float32")
    labels = np.random.randint(0, 10, 4)
    print("input", digits.shape)
    logits = train_step(Net(), tf.constant(digits), tf.constant(labels))
    print("output", tuple(logits.shape))
