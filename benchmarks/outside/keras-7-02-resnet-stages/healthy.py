"""ResNet for CIFAR sized pictures, stages come from a config."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers, regularizers

CONFIG = {
    "input_shape": (32, 32, 3),
    "num_classes": 10,
    "stem_filters": 8,
    "stages": [
        {"filters": 16, "blocks": 2, "stride": 1},
        {"filters": 32, "blocks": 2, "stride": 2},
        {"filters": 64, "blocks": 2, "stride": 2},
    ],
    "weight_decay": 1e-4,
    "batch_size": 16,
    "epochs": 1,
}


def conv_bn(x, filters, kernel_size, stride, wd, act=True):
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_regularizer=regularizers.l2(wd),
    )(x)
    x = layers.BatchNormalization()(x)
    if act:
        x = layers.ReLU()(x)
    return x


def residual_block(x, filters, stride, wd):
    shortcut = x
    y = conv_bn(x, filters, 3, stride, wd)
    y = conv_bn(y, filters, 3, 1, wd, act=False)
    if stride != 1 or x.shape[-1] != filters:
        shortcut = conv_bn(x, filters, 1, stride, wd, act=False)
    y = layers.Add()([shortcut, y])
    return layers.ReLU()(y)


def build_resnet(cfg):
    wd = cfg["weight_decay"]
    inputs = keras.Input(cfg["input_shape"])
    x = conv_bn(inputs, cfg["stem_filters"], 3, 1, wd)
    for stage in cfg["stages"]:
        for i in range(stage["blocks"]):
            stride = stage["stride"] if i == 0 else 1
            x = residual_block(x, stage["filters"], stride, wd)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(cfg["num_classes"])(x)
    return keras.Model(inputs, outputs, name="resnet_cifar")


def augment(image, label):
    image = tf.image.random_flip_left_right(image)
    image = tf.image.resize_with_crop_or_pad(image, 36, 36)
    image = tf.image.random_crop(image, (32, 32, 3))
    return image, label


def make_dataset(n, cfg, training):
    x = np.random.rand(n, *cfg["input_shape"]).astype("float32")
    y = np.random.randint(0, cfg["num_classes"], size=(n,))
    ds = tf.data.Dataset.from_tensor_slices((x, y))
    if training:
        ds = ds.shuffle(n).map(augment)
    return ds.batch(cfg["batch_size"]).prefetch(1)


train_ds = make_dataset(64, CONFIG, training=True)
test_ds = make_dataset(32, CONFIG, training=False)

model = build_resnet(CONFIG)
print("params:", model.count_params())
model.compile(
    optimizer=keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
model.fit(train_ds, epochs=CONFIG["epochs"], validation_data=test_ds, verbose=2)
print(model.evaluate(test_ds, verbose=0))
