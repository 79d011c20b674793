# Grey images, shaped as they were loaded.
#
# fault: input_shape=(28, 28) has no channel axis
# code: SW6 SW7
# named: input_shape=(28, 28) | conv_in
# fix: input_shape=(28, 28, 1) and images[..., None]
import tensorflow as tf

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Conv2D(32, (3, 3), activation="relu", input_shape=(28, 28), name="conv_in"),
        tf.keras.layers.MaxPooling2D((2, 2)),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(10, activation="softmax"),
    ]
)
