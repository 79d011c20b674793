"""Attention U-Net for liver CT slices."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers, Model, Input, backend as K

H = W = 64
FILTERS = [8, 16, 32]


def dice_coef(y_true, y_pred, smooth=1.0):
    y_true = tf.reshape(tf.cast(y_true, tf.float32), [-1])
    y_pred = tf.reshape(y_pred, [-1])
    inter = tf.reduce_sum(y_true * y_pred)
    return (2.0 * inter + smooth) / (tf.reduce_sum(y_true) + tf.reduce_sum(y_pred) + smooth)


def dice_loss(y_true, y_pred):
    return 1.0 - dice_coef(y_true, y_pred)


def double_conv(x, n):
    for _ in range(2):
        x = layers.Conv2D(n, 3, padding="same")(x)
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu")(x)
    return x


def attention_gate(x, g, inter_channels):
    """x: skip features, g: gating signal from one level below (half size)."""
    theta_x = layers.Conv2D(inter_channels, 2, strides=2, padding="same")(x)
    phi_g = layers.Conv2D(inter_channels, 1, padding="same")(g)
    f = layers.Activation("relu")(layers.add([theta_x, phi_g]))
    psi = layers.Conv2D(1, 1, padding="same")(f)
    alpha = layers.Activation("sigmoid")(psi)
    alpha = layers.UpSampling2D(size=2, interpolation="bilinear")(alpha)
    return layers.multiply([x, alpha])


def up_block(x, skip, n):
    att = attention_gate(skip, x, n // 2)
    x = layers.UpSampling2D(2)(x)
    x = layers.concatenate([x, att])
    return double_conv(x, n)


def attention_unet():
    inp = Input((H, W, 1))
    skips = []
    x = inp
    for n in FILTERS[:-1]:
        x = double_conv(x, n)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = double_conv(x, FILTERS[-1])
    for n, skip in zip(reversed(FILTERS[:-1]), reversed(skips)):
        x = up_block(x, skip, n)
    out = layers.Conv2D(1, 1, activation="sigmoid")(x)
    return Model(inp, out)


def slices(n):
    vol = np.random.randn(n, H, W, 1).astype("float32")
    mask = np.zeros((n, H, W, 1), dtype="float32")
    for i in range(n):
        r, c = np.random.randint(8, 40, size=2)
        mask[i, r : r + 16, c : c + 16] = 1.0
        vol[i] += 2 * mask[i]
    return vol, mask


x_tr, y_tr = slices(16)
x_te, y_te = slices(4)
model = attention_unet()
model.compile(optimizer=tf.keras.optimizers.Adam(1e-3), loss=dice_loss, metrics=[dice_coef])
model.fit(x_tr, y_tr, batch_size=4, epochs=1, verbose=2)
pred = (model.predict(x_te, verbose=0) > 0.5).astype("float32")
print("dice", float(dice_coef(y_te, tf.constant(pred))))
