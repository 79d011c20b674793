"""Road / lane segmentation from dashcam frames."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

CONFIG = {
    "frame_h": 120,
    "frame_w": 160,
    "channels": 3,
    "base_filters": 8,
    "depth": 4,
    "batch": 4,
    "epochs": 1,
    "lr": 1e-3,
}

RAW_H, RAW_W = 240, 320


def fake_dashcam(n, seed=0):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 255, (n, RAW_H, RAW_W, 3)).astype("uint8")
    roads = np.zeros((n, RAW_H, RAW_W, 1), dtype="uint8")
    for i in range(n):
        left = rng.integers(20, 120)
        roads[i, RAW_H // 2:, left:left + 150] = 1
    return frames, roads


def preprocess(frame, road):
    size = (CONFIG["frame_h"], CONFIG["frame_w"])
    frame = tf.image.resize(tf.cast(frame, tf.float32) / 255.0, size)
    road = tf.image.resize(road, size, method="nearest")
    return frame, tf.cast(road, tf.float32)


def make_dataset(frames, roads, training):
    ds = tf.data.Dataset.from_tensor_slices((frames, roads))
    if training:
        ds = ds.shuffle(16)
    return ds.map(preprocess).batch(CONFIG["batch"])


def double_conv(x, filters, dropout=0.0):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
    if dropout:
        x = layers.Dropout(dropout)(x)
    return x


def encoder(x, f, depth):
    feats = []
    for i in range(depth):
        x = double_conv(x, f * 2 ** i)
        feats.append(x)
        x = layers.MaxPooling2D(2)(x)
    return x, feats


def decoder(x, feats, f):
    for i, skip in reversed(list(enumerate(feats))):
        x = layers.Conv2DTranspose(f * 2 ** i, 3, strides=2, padding="same")(x)
        x = layers.Concatenate()([skip, x])
        x = double_conv(x, f * 2 ** i)
    return x


def build_unet(cfg):
    inp = keras.Input((cfg["frame_h"], cfg["frame_w"], cfg["channels"]))
    x, feats = encoder(inp, cfg["base_filters"], cfg["depth"])
    x = double_conv(x, cfg["base_filters"] * 2 ** cfg["depth"], dropout=0.3)
    x = decoder(x, feats, cfg["base_filters"])
    out = layers.Conv2D(1, 1, activation="sigmoid", name="road")(x)
    return keras.Model(inp, out, name="road_unet")


def dice(y_true, y_pred, eps=1.0):
    inter = tf.reduce_sum(y_true * y_pred)
    return (2 * inter + eps) / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + eps)


def main():
    frames, roads = fake_dashcam(12)
    train = make_dataset(frames[:8], roads[:8], True)
    val = make_dataset(frames[8:], roads[8:], False)

    model = build_unet(CONFIG)
    model.compile(
        optimizer=keras.optimizers.Adam(CONFIG["lr"]),
        loss="binary_crossentropy",
        metrics=[dice],
    )
    model.fit(train, validation_data=val, epochs=CONFIG["epochs"], verbose=2)


if __name__ == "__main__":
    main()
