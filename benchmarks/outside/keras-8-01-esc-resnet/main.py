"""
Environmental sound classification on log-mel patches.

Pre-activation ResNet, roughly He et al. 2016 with a small number of filters.
The real data set lives on the cluster, this script uses a synthetic stand-in
so that the training loop can be tried on a laptop.
"""
import argparse

import numpy as np
import tensorflow as tf

N_MELS = 64
N_FRAMES = 96
N_CLASSES = 10

# (filters, stride of the first unit, number of units)
STAGES = [
    (16, 1, 1),
    (32, 2, 2),
    (64, 2, 2),
    (64, 2, 1),
]


def fake_logmel(n, rng):
    """Band-limited noise whose centre band depends on the class."""
    labels = rng.integers(0, N_CLASSES, size=n)
    specs = rng.normal(0.0, 1.0, size=(n, N_MELS, N_FRAMES, 1)).astype("float32")
    for i, lab in enumerate(labels):
        lo = lab * 6
        specs[i, lo:lo + 6] += 2.0
    return specs, labels.astype("int32")


def bn_relu(x):
    x = tf.keras.layers.BatchNormalization(momentum=0.9)(x)
    return tf.keras.layers.ReLU()(x)


def conv3x3(x, filters, stride=1):
    return tf.keras.layers.Conv2D(
        filters, 3, strides=stride, padding="same", use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=tf.keras.regularizers.l2(1e-4))(x)


def residual_unit(x, filters, stride=1):
    """BN-ReLU-conv twice, plus the identity (or a 1x1 projection)."""
    shortcut = x
    out = bn_relu(x)

    if x.shape[-1] != filters:
        # the projection is taken after the shared pre-activation
        shortcut = tf.keras.layers.Conv2D(
            filters, 1, strides=stride, use_bias=False,
            kernel_initializer="he_normal")(out)

    out = conv3x3(out, filters, stride)
    out = bn_relu(out)
    out = tf.keras.layers.Dropout(0.1)(out)
    out = conv3x3(out, filters)
    return tf.keras.layers.Add()([out, shortcut])


def build_model():
    inputs = tf.keras.Input((N_MELS, N_FRAMES, 1), name="logmel")
    x = conv3x3(inputs, 16)

    for filters, first_stride, n_units in STAGES:
        for unit in range(n_units):
            x = residual_unit(x, filters, first_stride if unit == 0 else 1)

    x = bn_relu(x)
    x = tf.keras.layers.GlobalAveragePooling2D()(x)
    x = tf.keras.layers.Dropout(0.3)(x)
    outputs = tf.keras.layers.Dense(N_CLASSES, name="logits")(x)
    return tf.keras.Model(inputs, outputs, name="esc_resnet")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()

    tf.keras.utils.set_random_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    x_train, y_train = fake_logmel(24, rng)
    x_val, y_val = fake_logmel(8, rng)

    model = build_model()
    print("parameters:", model.count_params())
    model.compile(
        optimizer=tf.keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=args.batch_size,
                        epochs=args.epochs, verbose=0)
    print("train loss: %.4f" % history.history["loss"][-1])

    val_loss, val_acc = model.evaluate(x_val, y_val, verbose=0)
    print("val loss: %.4f  val acc: %.3f" % (val_loss, val_acc))


if __name__ == "__main__":
    main()
