"""3-D segmentation of MR volumes with thick slices.

In-plane resolution is ~4x the through-plane one, so (as nnU-Net does) the first
pooling leaves the slice axis alone. Volumes are (slices, rows, cols, 1).
"""
import os
import random

import numpy as np
import tensorflow as tf
import tensorflow.keras.backend as K
from tensorflow.keras import layers, models
from tensorflow.keras.optimizers import Adam

random.seed(0)
np.random.seed(0)
tf.random.set_seed(0)
os.environ.setdefault("PYTHONHASHSEED", "0")

PATCH = (8, 32, 32)
POOL = [(1, 2, 2), (2, 2, 2), (2, 2, 2)]
FEATURES = [4, 8, 16, 24]
LABELS = 3


def norm_act(t):
    t = layers.BatchNormalization()(t)
    return layers.LeakyReLU(negative_slope=0.01)(t)


def res_conv(t, n_feat, n_convs=2):
    """V-Net style: n_convs 3x3x3 convolutions around a residual."""
    inp = t
    for i in range(n_convs):
        t = layers.Conv3D(n_feat, 3, padding="same")(t)
        if i < n_convs - 1:
            t = norm_act(t)
    if inp.shape[-1] != n_feat:
        inp = layers.Conv3D(n_feat, 1)(inp)
    return norm_act(layers.add([t, inp]))


def encoder(t):
    skips = []
    for n_feat, pool in zip(FEATURES, POOL):
        t = res_conv(t, n_feat)
        skips.append(t)
        t = layers.Conv3D(n_feat, pool, strides=pool)(t)
    return res_conv(t, FEATURES[-1]), skips


def decoder(t, skips):
    features = FEATURES[-2::-1]
    for n_feat, skip, pool in zip(features, reversed(skips), POOL):
        t = layers.Conv3DTranspose(n_feat, pool, strides=pool)(t)
        t = layers.concatenate([t, skip])
        t = res_conv(t, n_feat, n_convs=1)
    return t


def get_model():
    volume = layers.Input(PATCH + (1,))
    bottom, skips = encoder(volume)
    top = decoder(bottom, skips)
    seg = layers.Conv3D(LABELS, 1, activation="softmax")(top)
    return models.Model(volume, seg)


def soft_dice_loss(y_true, y_pred, eps=1e-5):
    axes = (1, 2, 3)
    num = 2.0 * tf.reduce_sum(y_true * y_pred, axis=axes) + eps
    den = tf.reduce_sum(y_true + y_pred, axis=axes) + eps
    return 1.0 - tf.reduce_mean(num / den, axis=-1)


class Volumes(tf.keras.utils.PyDataset):
    """Random patches; label 1 is a box, label 2 its brighter core."""

    def __init__(self, n_batches, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.n_batches, self.batch_size = n_batches, batch_size

    def __len__(self):
        return self.n_batches

    def __getitem__(self, idx):
        rng = np.random.default_rng(idx)
        x = rng.normal(size=(self.batch_size,) + PATCH).astype("float32")
        lab = np.zeros((self.batch_size,) + PATCH, dtype=int)
        for b in range(self.batch_size):
            z, r, c = (rng.integers(0, s // 2) for s in PATCH)
            lab[b, z:z + 4, r:r + 14, c:c + 14] = 1
            lab[b, z + 1:z + 3, r + 4:r + 10, c + 4:c + 10] = 2
        x += lab
        return x[..., None], np.eye(LABELS, dtype="float32")[lab]


def main():
    model = get_model()
    model.compile(Adam(3e-4), loss=soft_dice_loss)
    train = Volumes(n_batches=3, batch_size=2)
    res = model.fit(train, epochs=1, verbose=0)
    print("dice loss", round(res.history["loss"][0], 4), "floatx", K.floatx())

    x, y = Volumes(1, 1)[0]
    seg = model.predict(x, verbose=0).argmax(-1)
    print("voxels per label:", np.bincount(seg.ravel(), minlength=LABELS))


if __name__ == "__main__":
    main()
