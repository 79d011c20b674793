# Digits are made one-hot with a depth of 9.
#
# fault: tf.one_hot has depth 9, the model has 10 classes
# code: SW8
# named: target | targets | labels | y | one_hot | tf.one_hot(digits, 9) | y_train
# fix: tf.one_hot(digits, 10)
import numpy as np
import tensorflow as tf

images = np.random.rand(128, 28, 28).astype("float32")
digits = np.random.randint(0, 10, 128)
labels = tf.one_hot(digits, 9)

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Flatten(input_shape=(28, 28)),
        tf.keras.layers.Dense(128, activation="relu", name="hidden"),
        tf.keras.layers.Dense(10, activation="softmax", name="digit"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(images, labels, epochs=1, verbose=0)
