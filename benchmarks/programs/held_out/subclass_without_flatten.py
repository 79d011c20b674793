# A model class whose call forgets its own flatten layer.
#
# fault: flatten is made and not called
# code: SW8
# named: scores | flatten | self.scores(x) | Flatten
# fix: self.scores(self.flatten(x))
import numpy as np
import tensorflow as tf


class Net(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = tf.keras.layers.Conv2D(8, 3, activation="relu", name="conv")
        self.flatten = tf.keras.layers.Flatten(name="flatten")
        self.scores = tf.keras.layers.Dense(10, name="scores")

    def call(self, x):
        x = self.conv(x)
        return self.scores(x)


model = Net()
loss_object = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = tf.keras.optimizers.Adam()
images = np.random.rand(16, 28, 28, 1).astype("float32")
labels = np.random.randint(0, 10, 16)


@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        predictions = model(images, training=True)
        loss = loss_object(labels, predictions)
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))


train_step(images, labels)
