# WGAN with gradient penalty on small grey textures (28x28).
# Started from my MLP version for the 2-D toy data, now convolutional.
import time

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

Z_DIM = 32
BATCH = 16
N_CRITIC = 2
GP_WEIGHT = 10.0
STEPS = 3

tf.random.set_seed(77)
rng = np.random.default_rng(77)


def textures(n):
    """Sinusoidal gratings of random frequency and orientation."""
    yy, xx = np.meshgrid(np.linspace(0, 1, 28), np.linspace(0, 1, 28), indexing="ij")
    freq = rng.uniform(2, 8, size=(n, 1, 1))
    theta = rng.uniform(0, np.pi, size=(n, 1, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1, 1))
    wave = np.sin(2 * np.pi * freq * (np.cos(theta) * xx + np.sin(theta) * yy) + phase)
    return wave[..., None].astype("float32")


def make_generator():
    return keras.Sequential([
        keras.Input((Z_DIM,)),
        layers.Dense(7 * 7 * 32, use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Reshape((7, 7, 32)),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Conv2DTranspose(1, 4, strides=2, padding="same", activation="tanh"),
    ], name="generator")


def make_critic():
    # no batch norm in the critic: the penalty is per sample
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(16, 5, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Conv2D(32, 5, strides=2, padding="same"),
        layers.LayerNormalization(),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1),
    ], name="critic")


generator, critic = make_generator(), make_critic()
g_opt = keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)
c_opt = keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)


def gradient_penalty(real, fake):
    eps = tf.random.uniform([tf.shape(real)[0], 1])
    mixed = eps * real + (1.0 - eps) * fake
    with tf.GradientTape() as tape:
        tape.watch(mixed)
        score = critic(mixed, training=True)
    grads = tape.gradient(score, mixed)
    norm = tf.sqrt(tf.reduce_sum(tf.square(grads), axis=[1, 2, 3]) + 1e-12)
    return tf.reduce_mean(tf.square(norm - 1.0))


@tf.function
def critic_step(real):
    z = tf.random.normal([tf.shape(real)[0], Z_DIM])
    with tf.GradientTape() as tape:
        fake = generator(z, training=True)
        wdist = tf.reduce_mean(critic(real, training=True)) \
            - tf.reduce_mean(critic(fake, training=True))
        loss = -wdist + GP_WEIGHT * gradient_penalty(real, fake)
    grads = tape.gradient(loss, critic.trainable_variables)
    c_opt.apply_gradients(zip(grads, critic.trainable_variables))
    return wdist


@tf.function
def generator_step():
    z = tf.random.normal([BATCH, Z_DIM])
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(critic(generator(z, training=True), training=True))
    grads = tape.gradient(loss, generator.trainable_variables)
    g_opt.apply_gradients(zip(grads, generator.trainable_variables))
    return loss


data = (tf.data.Dataset.from_tensor_slices(textures(BATCH * N_CRITIC * STEPS))
        .batch(BATCH, drop_remainder=True)
        .repeat())
batches = iter(data)

t0 = time.time()
for step in range(STEPS):
    for _ in range(N_CRITIC):
        w = critic_step(next(batches))
    g = generator_step()
    print(f"step {step}  wasserstein {float(w):+.4f}  gen loss {float(g):+.4f}")
print("sec: %.1f" % (time.time() - t0))

samples = generator(tf.random.normal([4, Z_DIM]), training=False).numpy()
print("samples", samples.shape, "range [%.2f, %.2f]" % (samples.min(), samples.max()))
