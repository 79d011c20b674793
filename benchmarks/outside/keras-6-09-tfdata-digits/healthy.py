import numpy as np
import tensorflow as tf

AUTOTUNE = tf.data.AUTOTUNE


def load_digits(n, seed):
    r = np.random.RandomState(seed)
    return r.randint(0, 256, (n, 28, 28)).astype("uint8"), r.randint(0, 10, n).astype("int64")


def normalize_img(image, label):
    """Normalizes images: `uint8` -> `float32`, adds the channel."""
    image = tf.cast(image, tf.float32) / 255.
    return tf.expand_dims(image, -1), label


def augment(image, label):
    image = tf.image.random_brightness(image, 0.1)
    return image, label


(xtr, ytr), (xte, yte) = load_digits(256, 0), load_digits(64, 1)

ds_train = tf.data.Dataset.from_tensor_slices((xtr, ytr))
ds_train = ds_train.map(normalize_img, num_parallel_calls=AUTOTUNE)
ds_train = ds_train.cache()
ds_train = ds_train.shuffle(256)
ds_train = ds_train.map(augment)
ds_train = ds_train.batch(32)
ds_train = ds_train.prefetch(AUTOTUNE)

ds_test = tf.data.Dataset.from_tensor_slices((xte, yte))
ds_test = ds_test.map(normalize_img, num_parallel_calls=AUTOTUNE)
ds_test = ds_test.batch(32)
ds_test = ds_test.cache()
ds_test = ds_test.prefetch(AUTOTUNE)

model = tf.keras.models.Sequential([
    tf.keras.layers.Input(shape=(28, 28, 1)),
    tf.keras.layers.Conv2D(8, 3, activation='relu'),
    tf.keras.layers.MaxPooling2D(),
    tf.keras.layers.Flatten(),
    tf.keras.layers.Dense(32, activation='relu'),
    tf.keras.layers.Dense(10),
])
model.compile(
    optimizer=tf.keras.optimizers.Adam(0.001),
    loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[tf.keras.metrics.SparseCategoricalAccuracy()],
)

model.fit(ds_train, epochs=1, validation_data=ds_test, verbose=2)
print(model.evaluate(ds_test, verbose=0))
