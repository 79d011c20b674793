# Small Inception-ResNet for leaf disease photos (course project, part 2).
# The structure follows Szegedy et al. 2016 ("Inception-v4, Inception-ResNet...")
# with all widths divided by 8.
import numpy as np
from tensorflow.keras import Input, Model
from tensorflow.keras.layers import (Activation, BatchNormalization, Concatenate,
                                     Conv2D, Dense, Dropout,
                                     GlobalAveragePooling2D, Lambda,
                                     MaxPooling2D, add)
from tensorflow.keras.utils import set_random_seed, to_categorical

IMG = 71
CLASSES = 5


def conv_bn(x, filters, size, strides=1, padding="same", act="relu"):
    x = Conv2D(filters, size, strides=strides, padding=padding,
               use_bias=act is None)(x)
    if act is not None:
        x = BatchNormalization(scale=False)(x)
        x = Activation(act)(x)
    return x


def residual_scaled(x, branches, scale):
    mixed = Concatenate()(branches)
    up = conv_bn(mixed, x.shape[-1], 1, act=None)
    up = Lambda(lambda t: t * scale)(up)
    return Activation("relu")(add([x, up]))


def stem(x):
    x = conv_bn(x, 8, 3, strides=2, padding="valid")
    x = conv_bn(x, 8, 3)
    x = MaxPooling2D(3, strides=2)(x)
    x = conv_bn(x, 16, 1)
    return conv_bn(x, 32, 3)


def block_a(x):
    b0 = conv_bn(x, 4, 1)
    b1 = conv_bn(conv_bn(x, 4, 1), 4, 3)
    b2 = conv_bn(conv_bn(conv_bn(x, 4, 1), 6, 3), 8, 3)
    return residual_scaled(x, [b0, b1, b2], 0.17)


def reduction_a(x):
    b0 = conv_bn(x, 48, 3, strides=2, padding="valid")

    b1 = conv_bn(x, 32, 1)
    b1 = conv_bn(b1, 32, 3)
    b1 = conv_bn(b1, 48, 3, strides=2)

    pool = MaxPooling2D(3, strides=2, padding="valid")(x)
    return Concatenate()([b0, b1, pool])


def block_b(x):
    b0 = conv_bn(x, 24, 1)
    b1 = conv_bn(x, 16, 1)
    b1 = conv_bn(b1, 20, (1, 7))
    b1 = conv_bn(b1, 24, (7, 1))
    return residual_scaled(x, [b0, b1], 0.10)


def reduction_b(x):
    b0 = conv_bn(x, 32, 1)
    b0 = conv_bn(b0, 48, 3, strides=2, padding="valid")
    b1 = conv_bn(x, 32, 1)
    b1 = conv_bn(b1, 36, 3, strides=2, padding="valid")
    b2 = conv_bn(x, 32, 1)
    b2 = conv_bn(b2, 36, 3)
    b2 = conv_bn(b2, 40, 3, strides=2, padding="valid")
    pool = MaxPooling2D(3, strides=2, padding="valid")(x)
    return Concatenate()([b0, b1, b2, pool])


def inception_resnet(n_a=2, n_b=2):
    img = Input((IMG, IMG, 3))
    x = stem(img)
    for _ in range(n_a):
        x = block_a(x)
    x = reduction_a(x)
    for _ in range(n_b):
        x = block_b(x)
    x = reduction_b(x)
    x = conv_bn(x, 96, 1)
    x = GlobalAveragePooling2D()(x)
    x = Dropout(0.2)(x)
    return Model(img, Dense(CLASSES, activation="softmax")(x))


set_random_seed(11)
rng = np.random.RandomState(11)
photos = rng.rand(12, IMG, IMG, 3).astype("float32") * 2 - 1
disease = to_categorical(rng.randint(0, CLASSES, 12), CLASSES)

net = inception_resnet()
net.compile(optimizer="rmsprop", loss="categorical_crossentropy",
            metrics=["accuracy"])
net.fit(photos, disease, batch_size=4, epochs=1, verbose=2)

probs = net.predict(photos[:3], verbose=0)
print("layers:", len(net.layers))
print("predicted:", probs.argmax(axis=1), "p =", probs.max(axis=1).round(3))
