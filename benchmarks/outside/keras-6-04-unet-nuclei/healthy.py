import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

tf.random.set_seed(1)
np.random.seed(1)

IMG_SIZE = 96
N_TRAIN = 24
BATCH_SIZE = 8


def raw_scans(n):
    for _ in range(n):
        img = np.random.randint(0, 255, (130, 160, 3)).astype("uint8")
        mask = (np.random.rand(130, 160, 1) > 0.7).astype("uint8")
        yield img, mask


def load_split(n):
    imgs, masks = [], []
    for img, mask in raw_scans(n):
        img = tf.image.resize(img, (IMG_SIZE, IMG_SIZE))
        mask = tf.image.resize(mask, (IMG_SIZE, IMG_SIZE), method="nearest")
        imgs.append(img.numpy() / 255.0)
        masks.append(mask.numpy())
    return np.array(imgs, dtype="float32"), np.array(masks, dtype="float32")


def conv_block(x, filters):
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu")(x)
    x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("relu")(x)


def encoder_block(x, filters):
    c = conv_block(x, filters)
    p = layers.MaxPooling2D(2)(c)
    return c, p


def decoder_block(x, skip, filters):
    x = layers.Conv2DTranspose(filters, 2, strides=2, padding="same")(x)
    x = layers.concatenate([x, skip])
    return conv_block(x, filters)


def build_unet(base=8):
    inputs = keras.Input((IMG_SIZE, IMG_SIZE, 3))
    s1, p1 = encoder_block(inputs, base)
    s2, p2 = encoder_block(p1, base * 2)
    s3, p3 = encoder_block(p2, base * 4)
    b = conv_block(p3, base * 8)
    d3 = decoder_block(b, s3, base * 4)
    d2 = decoder_block(d3, s2, base * 2)
    d1 = decoder_block(d2, s1, base)
    outputs = layers.Conv2D(1, 1, activation="sigmoid")(d1)
    return keras.Model(inputs, outputs, name="unet")


x_train, y_train = load_split(N_TRAIN)
x_val, y_val = load_split(8)

model = build_unet()
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="binary_crossentropy",
              metrics=["accuracy"])
model.fit(x_train, y_train, validation_data=(x_val, y_val),
          batch_size=BATCH_SIZE, epochs=1, verbose=2)

pred = model.predict(x_val, verbose=0)
print("mean mask area", (pred > 0.5).mean())
