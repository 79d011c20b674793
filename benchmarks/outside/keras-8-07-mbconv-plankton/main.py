"""EfficientNet-style classifier for plankton images (grey, 48x48).

Stage table follows EfficientNet-B0, cut down to five stages.
"""
import math

import numpy as np
from keras import Input, Model, optimizers, utils
from keras.layers import (Activation, Add, BatchNormalization, Conv2D, Dense,
                          DepthwiseConv2D, Dropout, GlobalAveragePooling2D,
                          Multiply, Rescaling, Reshape)

SEED = 42
SPECIES = ["copepod", "diatom", "ciliate", "rotifer", "larva", "detritus"]

#         expand, out, kernel, stride, repeats
B0_MINI = [(1, 8, 3, 1, 1),
           (6, 12, 3, 2, 2),
           (6, 20, 5, 2, 2),
           (6, 40, 3, 2, 2),
           (6, 40, 5, 1, 1)]


def round_filters(filters, width=1.0, divisor=4):
    filters *= width
    new = max(divisor, int(filters + divisor / 2) // divisor * divisor)
    if new < 0.9 * filters:
        new += divisor
    return int(new)


def conv_bn_act(x, layer, act=True):
    x = layer(x)
    x = BatchNormalization(momentum=0.99, epsilon=1e-3)(x)
    return Activation("swish")(x) if act else x


def squeeze_excite(x, filters, se_filters, name):
    s = GlobalAveragePooling2D(name=name + "_squeeze")(x)
    s = Reshape((1, 1, filters), name=name + "_reshape")(s)
    s = Conv2D(se_filters, 1, activation="swish", name=name + "_reduce")(s)
    s = Conv2D(filters, 1, activation="sigmoid", name=name + "_expand")(s)
    return Multiply(name=name + "_excite")([x, s])


def mbconv(x, expand, filters_out, kernel, stride, drop, name):
    inputs = x
    filters_in = x.shape[-1]
    filters = filters_in * expand

    if expand != 1:
        x = conv_bn_act(x, Conv2D(filters, 1, use_bias=False,
                                  name=name + "_expand_conv"))

    x = conv_bn_act(x, DepthwiseConv2D(kernel, strides=stride, padding="same",
                                       use_bias=False, name=name + "_dwconv"))

    x = squeeze_excite(x, filters_in, max(1, filters_in // 4), name + "_se")

    x = conv_bn_act(x, Conv2D(filters_out, 1, use_bias=False,
                              name=name + "_project_conv"), act=False)

    if stride == 1 and filters_in == filters_out:
        if drop > 0:
            x = Dropout(drop, noise_shape=(None, 1, 1, 1), name=name + "_drop")(x)
        x = Add(name=name + "_add")([x, inputs])
    return x


def build(num_classes, width=1.0, depth=1.0, drop_connect=0.2):
    image = Input((48, 48, 1), name="image")
    x = Rescaling(1 / 127.5, offset=-1.0)(image)
    x = conv_bn_act(x, Conv2D(round_filters(8, width), 3, strides=2,
                              padding="same", use_bias=False, name="stem_conv"))

    total = sum(math.ceil(depth * row[-1]) for row in B0_MINI)
    count = 0
    for i, (expand, out, kernel, stride, repeats) in enumerate(B0_MINI):
        for j in range(math.ceil(depth * repeats)):
            x = mbconv(x, expand, round_filters(out, width), kernel,
                       stride if j == 0 else 1,
                       drop_connect * count / total,
                       name=f"block{i + 1}{chr(j + 97)}")
            count += 1

    x = conv_bn_act(x, Conv2D(round_filters(64, width), 1, use_bias=False,
                              name="top_conv"))
    x = GlobalAveragePooling2D(name="avg_pool")(x)
    x = Dropout(0.2)(x)
    return Model(image, Dense(num_classes, activation="softmax")(x),
                 name="plankton_b0_mini")


def fake_plankton(n):
    rng = np.random.default_rng(SEED)
    x = rng.integers(0, 256, size=(n, 48, 48, 1)).astype("float32")
    y = rng.integers(0, len(SPECIES), size=n)
    return x, y


if __name__ == "__main__":
    utils.set_random_seed(SEED)
    x, y = fake_plankton(36)
    model = build(len(SPECIES))
    model.compile(optimizers.RMSprop(1e-3, momentum=0.9),
                  loss="sparse_categorical_crossentropy", metrics=["acc"])
    log = model.fit(x[:24], y[:24], batch_size=8, epochs=1, verbose=0,
                    validation_data=(x[24:], y[24:]))
    print(f"{model.name}: {model.count_params():,} parameters")
    print({k: round(v[0], 3) for k, v in log.history.items()})
    best = model.predict(x[:4], verbose=0).argmax(-1)
    print("first four:", [SPECIES[i] for i in best])
