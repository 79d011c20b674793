"""Attention U-Net (Oktay et al., 2018) for 2-D ultrasound slices.

Notebook export; cells are kept in order.
"""
# %% imports
import keras
import numpy as np
from keras import layers as L
from keras import ops

keras.utils.set_random_seed(2018)

# %% settings
SIZE = 64
BASE = 8
DEPTH = 3
BATCH = 4


# %% data: bright ellipses on speckle noise
def make_slices(n, seed):
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:SIZE, 0:SIZE]
    imgs, masks = [], []
    for _ in range(n):
        cy, cx = rng.uniform(16, SIZE - 16, size=2)
        ry, rx = rng.uniform(6, 14, size=2)
        mask = ((yy - cy) / ry) ** 2 + ((xx - cx) / rx) ** 2 < 1.0
        speckle = rng.rayleigh(0.3, size=(SIZE, SIZE))
        imgs.append(speckle + 0.6 * mask)
        masks.append(mask)
    imgs = np.stack(imgs)[..., None].astype("float32")
    masks = np.stack(masks)[..., None].astype("float32")
    return imgs, masks


# %% building blocks
def double_conv(x, filters):
    for _ in range(2):
        x = L.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = L.GroupNormalization(groups=4)(x)
        x = L.Activation("relu")(x)
    return x


def attention_gate(x, g, inter):
    """Weights the skip features x with the coarser gating signal g."""
    theta_x = L.Conv2D(inter, 2, strides=2, padding="same", use_bias=False)(x)
    phi_g = L.Conv2D(inter, 1)(g)
    f = L.Activation("relu")(L.Add()([theta_x, phi_g]))
    alpha = L.Conv2D(1, 1, activation="sigmoid")(f)
    alpha = L.UpSampling2D(2, interpolation="bilinear")(alpha)
    y = L.Multiply()([x, alpha])
    y = L.Conv2D(x.shape[-1], 1, use_bias=False)(y)
    return L.GroupNormalization(groups=4)(y)


def up_block(deep, skip, filters):
    gated = attention_gate(deep, skip, inter=filters // 2)
    up = L.Conv2DTranspose(filters, 2, strides=2)(deep)
    return double_conv(L.Concatenate()([up, gated]), filters)


# %% model
def attention_unet():
    inp = L.Input((SIZE, SIZE, 1))
    x, skips = inp, []
    for d in range(DEPTH):
        x = double_conv(x, BASE * 2 ** d)
        skips.append(x)
        x = L.MaxPooling2D(2)(x)

    x = double_conv(x, BASE * 2 ** DEPTH)
    x = L.Dropout(0.2)(x)

    for d in reversed(range(DEPTH)):
        x = up_block(x, skips[d], BASE * 2 ** d)

    out = L.Conv2D(1, 1, activation="sigmoid")(x)
    return keras.Model(inp, out, name="attention_unet")


# %% loss
def dice_bce(y_true, y_pred):
    inter = ops.sum(y_true * y_pred, axis=(1, 2, 3))
    total = ops.sum(y_true, axis=(1, 2, 3)) + ops.sum(y_pred, axis=(1, 2, 3))
    dice = 1.0 - (2.0 * inter + 1.0) / (total + 1.0)
    bce = ops.mean(keras.losses.binary_crossentropy(y_true, y_pred), axis=(1, 2))
    return dice + bce


# %% train
model = attention_unet()
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=dice_bce,
              metrics=[keras.metrics.BinaryIoU(target_class_ids=[1])])

imgs, masks = make_slices(12, seed=1)
hist = model.fit(imgs, masks, batch_size=BATCH, epochs=1, verbose=0)
print({k: round(float(v[-1]), 4) for k, v in hist.history.items()})

# %% look at one prediction
test_img, test_mask = make_slices(2, seed=99)
pred = model.predict(test_img, verbose=0)
print("foreground true/pred:", int(test_mask.sum()), int((pred > 0.5).sum()))
