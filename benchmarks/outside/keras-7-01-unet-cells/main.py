"""Cell nuclei segmentation with a small U-Net."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import keras
from keras import layers

IMG_SIZE = (64, 64)
NUM_CLASSES = 3
BATCH_SIZE = 4


def make_data(n, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.random((n, *IMG_SIZE, 3), dtype=np.float32)
    masks = rng.integers(0, NUM_CLASSES, size=(n, *IMG_SIZE, 1))
    return images, masks


def conv_block(x, filters, name):
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal", name=f"{name}_conv1")(x)
    x = layers.BatchNormalization(name=f"{name}_bn1")(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, kernel_initializer="he_normal", name=f"{name}_conv2")(x)
    x = layers.BatchNormalization(name=f"{name}_bn2")(x)
    return layers.Activation("relu")(x)


def encoder_block(x, filters, name):
    skip = conv_block(x, filters, name)
    pooled = layers.MaxPooling2D(2)(skip)
    pooled = layers.Dropout(0.1)(pooled)
    return skip, pooled


def decoder_block(x, skip, filters, name):
    x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same", name=f"{name}_up")(x)
    x = layers.Concatenate(name=f"{name}_concat")([x, skip])
    x = layers.Dropout(0.1)(x)
    return conv_block(x, filters, name)


def build_unet(num_classes, base=8):
    inputs = keras.Input(shape=IMG_SIZE + (3,))
    x = layers.Rescaling(1.0 / 255)(inputs)

    s1, p1 = encoder_block(x, base, "enc1")
    s2, p2 = encoder_block(p1, base * 2, "enc2")
    s3, p3 = encoder_block(p2, base * 4, "enc3")

    b = conv_block(p3, base * 8, "bridge")

    d3 = decoder_block(b, s3, base * 4, "dec3")
    d2 = decoder_block(d3, s2, base * 2, "dec2")
    d1 = decoder_block(d2, s1, base, "dec1")

    outputs = layers.Conv2D(num_classes, 1, activation="softmax")(d1)
    return keras.Model(inputs, outputs, name="unet")


def mean_iou(model, x, y):
    pred = model.predict(x, verbose=0).argmax(-1)
    y = y[..., 0]
    ious = []
    for c in range(NUM_CLASSES):
        inter = np.logical_and(pred == c, y == c).sum()
        union = np.logical_or(pred == c, y == c).sum()
        ious.append(inter / max(union, 1))
    return float(np.mean(ious))


def main():
    x_train, y_train = make_data(16)
    x_val, y_val = make_data(8, seed=1)

    model = build_unet(NUM_CLASSES)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(x_train, y_train, validation_data=(x_val, y_val), batch_size=BATCH_SIZE, epochs=1, verbose=2)
    print("mean IoU:", mean_iou(model, x_val, y_val))


if __name__ == "__main__":
    main()
