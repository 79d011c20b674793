"""Train a small FPN that predicts object-centre heatmaps on aerial tiles.

The tiles arrive with different sizes, so the network is fully convolutional
and the input pipeline pads every batch.
"""
import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

NUM_CLASSES = 3
FPN_DIM = 32
OUT_STRIDE = 4
PAD_TO = 16


# --------------------------------------------------------------------- data
def tile_generator(n=9, seed=3):
    rng = np.random.default_rng(seed)
    for _ in range(n):
        h, w = 104, 140
        tile = rng.integers(0, 255, size=(h, w, 3)).astype("uint8")
        n_obj = rng.integers(1, 5)
        centers = np.stack([rng.integers(0, h, n_obj),
                            rng.integers(0, w, n_obj),
                            rng.integers(0, NUM_CLASSES, n_obj)], axis=1)
        yield tile, centers.astype("int32")


def pad_tile(tile, centers):
    """Zero-pad on the right and the bottom; the centres stay where they are."""
    h, w = tf.shape(tile)[0], tf.shape(tile)[1]
    new_h = -(-h // PAD_TO) * PAD_TO
    new_w = -(-w // PAD_TO) * PAD_TO
    tile = tf.image.pad_to_bounding_box(tile, 0, 0, new_h, new_w)
    return tf.cast(tile, tf.float32) / 255.0, centers


def to_heatmap(tile, centers):
    size = tf.shape(tile)[:2] // OUT_STRIDE
    cells = tf.concat([centers[:, :2] // OUT_STRIDE, centers[:, 2:]], axis=1)
    shape = tf.concat([size, [NUM_CLASSES]], axis=0)
    heat = tf.scatter_nd(cells, tf.ones(tf.shape(cells)[0]), shape)
    return tile, tf.minimum(heat, 1.0)


def make_dataset(batch_size=3):
    ds = tf.data.Dataset.from_generator(
        tile_generator,
        output_signature=(tf.TensorSpec((None, None, 3), tf.uint8),
                          tf.TensorSpec((None, 3), tf.int32)))
    ds = ds.map(pad_tile, num_parallel_calls=2)
    ds = ds.map(to_heatmap, num_parallel_calls=2)
    return ds.padded_batch(batch_size).prefetch(1)


# -------------------------------------------------------------------- model
def conv_unit(x, filters, stride=1, name=None):
    x = layers.Conv2D(filters, 3, strides=stride, padding="same",
                      use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def backbone(image):
    """Returns C2..C5 at strides 4, 8, 16, 32."""
    x = conv_unit(image, 8, 2, "stem")
    features = []
    for level, filters in zip(range(2, 6), (16, 24, 32, 48)):
        x = conv_unit(x, filters, 2, f"c{level}_down")
        x = conv_unit(x, filters, 1, f"c{level}_keep")
        features.append(x)
    return features


def feature_pyramid(features):
    laterals = [layers.Conv2D(FPN_DIM, 1, name=f"lateral{i + 2}")(c)
                for i, c in enumerate(features)]
    top = laterals.pop()
    pyramid = [top]
    while laterals:
        top = layers.UpSampling2D(2)(top)
        top = layers.Add(name=f"merge{len(laterals) + 1}")([laterals.pop(), top])
        pyramid.append(top)
    return pyramid[::-1]


def heatmap_fpn():
    image = layers.Input((None, None, 3), name="image")
    p2 = feature_pyramid(backbone(image))[0]
    x = conv_unit(p2, FPN_DIM, 1, "head")
    heat = layers.Conv2D(NUM_CLASSES, 1, activation="sigmoid",
                         bias_initializer=tf.keras.initializers.Constant(-2.2),
                         name="heat")(x)
    return tf.keras.Model(image, heat)


def focal(y_true, y_pred, gamma=2.0):
    y_pred = tf.clip_by_value(y_pred, 1e-5, 1 - 1e-5)
    pos = -y_true * (1 - y_pred) ** gamma * tf.math.log(y_pred)
    neg = -(1 - y_true) * y_pred ** gamma * tf.math.log(1 - y_pred)
    return tf.reduce_sum(pos + neg, axis=(1, 2, 3))


if __name__ == "__main__":
    tf.keras.utils.set_random_seed(3)
    model = heatmap_fpn()
    model.compile(optimizer=tf.keras.optimizers.AdamW(1e-3), loss=focal)
    history = model.fit(make_dataset(), epochs=1, verbose=0)
    print("focal loss:", round(history.history["loss"][0], 3))

    tile, target = next(iter(make_dataset(1)))
    heat = model(tile, training=False)
    print("tile", tuple(tile.shape), "target", tuple(target.shape),
          "max score %.3f" % float(tf.reduce_max(heat)))
