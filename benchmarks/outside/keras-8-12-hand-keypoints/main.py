"""Regress hand keypoints from depth crops.

Plain CNN baseline; the labels are the flattened (x, y) pairs in [0, 1].
"""
import keras
import numpy as np
import tensorflow as tf
from keras import layers

CROP = 64
NUM_KEYPOINTS = 7
AUTOTUNE = tf.data.AUTOTUNE

# index of the mirrored keypoint (wrist stays, thumb side <-> little finger side)
MIRROR = [0, 6, 5, 4, 3, 2, 1]


def synthetic_hands(n, seed=0):
    rng = np.random.default_rng(seed)
    kp = rng.uniform(0.1, 0.9, size=(n, NUM_KEYPOINTS, 2)).astype("float32")
    grid = np.stack(np.meshgrid(np.arange(CROP), np.arange(CROP)), -1) / CROP
    depth = np.zeros((n, CROP, CROP, 1), "float32")
    for i in range(n):
        for k in range(NUM_KEYPOINTS):
            d2 = ((grid - kp[i, k]) ** 2).sum(-1)
            depth[i, ..., 0] += np.exp(-d2 / 0.004)
    return depth, kp.reshape(n, -1)


def normalise(image, label):
    image = image - tf.reduce_mean(image)
    return image / (tf.math.reduce_std(image) + 1e-6), label


def random_flip(image, label):
    """Horizontal mirroring, with the keypoints swapped accordingly."""
    points = tf.reshape(label, (NUM_KEYPOINTS, 2))
    if tf.random.uniform(()) > 0.5:
        image = tf.image.flip_left_right(image)
        flipped = tf.stack([1.0 - points[:, 0], points[:, 1]], axis=-1)
        points = tf.gather(flipped, MIRROR)
    return image, points


def jitter_depth(image, label):
    scale = tf.random.uniform((), 0.9, 1.1)
    noise = tf.random.normal(tf.shape(image), stddev=0.02)
    return image * scale + noise, label


def pipeline(x, y, batch_size, training):
    ds = tf.data.Dataset.from_tensor_slices((x, y))
    ds = ds.map(normalise, num_parallel_calls=AUTOTUNE)
    if training:
        ds = ds.shuffle(64, seed=0)
        ds = ds.map(random_flip, num_parallel_calls=AUTOTUNE)
        ds = ds.map(jitter_depth, num_parallel_calls=AUTOTUNE)
    return ds.batch(batch_size).prefetch(AUTOTUNE)


def build_regressor():
    model = keras.Sequential(name="hand_regressor")
    model.add(keras.Input((CROP, CROP, 1)))
    for filters in (8, 16, 32):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.BatchNormalization())
        model.add(layers.MaxPooling2D())
    model.add(layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, activation="relu"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(NUM_KEYPOINTS * 2, activation="sigmoid"))
    return model


def mean_pixel_error(model, ds):
    errors = []
    for image, label in ds:
        pred = model(image, training=False)
        diff = tf.reshape(pred - label, (-1, NUM_KEYPOINTS, 2)) * CROP
        errors.append(tf.norm(diff, axis=-1))
    return float(tf.reduce_mean(tf.concat(errors, axis=0)))


def main():
    keras.utils.set_random_seed(0)
    x, y = synthetic_hands(40)
    train_ds = pipeline(x[:30], y[:30], batch_size=10, training=True)
    val_ds = pipeline(x[30:], y[30:], batch_size=10, training=False)

    model = build_regressor()
    print("error before training: %.2f px" % mean_pixel_error(model, val_ds))
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=keras.losses.Huber(0.1))
    model.fit(train_ds, epochs=1, verbose=2)
    print("error after training:  %.2f px" % mean_pixel_error(model, val_ds))


if __name__ == "__main__":
    main()
