# A pipeline flattens what the model wants as pictures.
#
# fault: the map reshapes pictures to rows of 784, the model takes 28 x 28 x 1
# code: SW6 SW7 SW3 SW1 SW5
# named: input | dataset | prepare | tf.reshape(image, [784])
# fix: tf.reshape(image, [28, 28, 1])
import numpy as np
import tensorflow as tf

images = np.random.rand(96, 28, 28).astype("float32")
digits = np.random.randint(0, 10, 96)


def prepare(image, digit):
    return tf.reshape(image, [784]), digit


dataset = tf.data.Dataset.from_tensor_slices((images, digits)).map(prepare).batch(32)
model = tf.keras.Sequential(
    [
        tf.keras.Input((28, 28, 1)),
        tf.keras.layers.Conv2D(8, 3, activation="relu"),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy")
model.fit(dataset, epochs=1, verbose=0)
