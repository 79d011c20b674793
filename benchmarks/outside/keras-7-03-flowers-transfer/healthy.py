"""Flower classification, frozen MobileNet body and a new head."""
import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
import keras
from keras import layers

CLASS_NAMES = ["daisy", "dandelion", "roses", "sunflowers", "tulips"]


def parse_args():
    p = argparse.ArgumentParser()
    p.add_argument("--img-size", type=int, default=64)
    p.add_argument("--batch-size", type=int, default=8)
    p.add_argument("--epochs", type=int, default=1)
    p.add_argument("--dropout", type=float, default=0.2)
    return p.parse_args()


def fake_folder(n, img_size, seed):
    """Stands for a folder of jpgs: uint8 pictures and class names."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, size=(n, img_size, img_size, 3), dtype=np.uint8)
    names = rng.choice(CLASS_NAMES, size=n)
    labels = np.array([CLASS_NAMES.index(c) for c in names], dtype="int32")
    return images, labels


def to_dataset(images, labels, batch_size, shuffle=False):
    ds = tf.data.Dataset.from_tensor_slices((images, labels))
    if shuffle:
        ds = ds.shuffle(len(images), seed=1)
    ds = ds.map(lambda x, y: (tf.cast(x, tf.float32), y))
    return ds.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def build_model(img_size, num_classes, dropout):
    base = keras.applications.MobileNet(
        input_shape=(img_size, img_size, 3), alpha=0.25, include_top=False, weights=None
    )
    base.trainable = False

    augmentation = keras.Sequential(
        [layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)], name="augmentation"
    )

    inputs = keras.Input(shape=(img_size, img_size, 3))
    x = augmentation(inputs)
    x = layers.Rescaling(1 / 127.5, offset=-1)(x)
    x = base(x, training=False)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(inputs, outputs)


def main():
    args = parse_args()
    x_train, y_train = fake_folder(32, args.img_size, seed=0)
    x_val, y_val = fake_folder(16, args.img_size, seed=1)
    train_ds = to_dataset(x_train, y_train, args.batch_size, shuffle=True)
    val_ds = to_dataset(x_val, y_val, args.batch_size)

    model = build_model(args.img_size, len(CLASS_NAMES), args.dropout)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    model.fit(train_ds, validation_data=val_ds, epochs=args.epochs, verbose=2)

    probs = model.predict(val_ds, verbose=0)
    for i in probs.argmax(axis=1)[:5]:
        print(CLASS_NAMES[i])


if __name__ == "__main__":
    main()
