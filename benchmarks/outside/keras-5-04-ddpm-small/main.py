import math
import numpy as np
import tensorflow as tf
import keras
from keras import layers, ops

IMG = 32
CH = 3
T = 200
BATCH = 8


def cosine_alphas(n):
    s = 0.008
    t = np.linspace(0, n, n + 1) / n
    f = np.cos((t + s) / (1 + s) * math.pi / 2) ** 2
    return (f[1:] / f[0]).clip(1e-4, 0.9999).astype("float32")


class SinusoidalTime(layers.Layer):
    def __init__(self, dim, **kw):
        super().__init__(**kw)
        self.dim = dim

    def call(self, t):
        half = self.dim // 2
        freqs = ops.exp(-math.log(10000.0) * ops.arange(half, dtype="float32") / half)
        ang = ops.cast(t, "float32")[:, None] * freqs[None]
        return ops.concatenate([ops.sin(ang), ops.cos(ang)], axis=-1)


def res_block(x, temb, width, groups=4):
    skip = x if x.shape[-1] == width else layers.Conv2D(width, 1)(x)
    h = layers.GroupNormalization(groups)(x)
    h = layers.Activation("silu")(h)
    h = layers.Conv2D(width, 3, padding="same")(h)
    t = layers.Dense(width)(layers.Activation("silu")(temb))
    h = h + t
    h = layers.GroupNormalization(groups)(h)
    h = layers.Activation("silu")(h)
    h = layers.Conv2D(width, 3, padding="same")(h)
    return skip + h


def build_unet(widths=(16, 24, 32), tdim=32):
    img = keras.Input((IMG, IMG, CH))
    step = keras.Input((), dtype="int32")
    temb = SinusoidalTime(tdim)(step)
    temb = layers.Dense(tdim * 2, activation="silu")(temb)
    x = layers.Conv2D(widths[0], 3, padding="same")(img)
    skips = []
    for w in widths[:-1]:
        x = res_block(x, temb, w)
        skips.append(x)
        x = layers.AveragePooling2D(2)(x)
    x = res_block(x, temb, widths[-1])
    for w in reversed(widths[:-1]):
        x = layers.UpSampling2D(2, interpolation="bilinear")(x)
        x = layers.Concatenate()([x, skips.pop()])
        x = res_block(x, temb, w)
    x = layers.Conv2D(CH, 3, padding="same", kernel_initializer="zeros")(x)
    return keras.Model([img, step], x, name="eps_net")


class DDPM(keras.Model):
    def __init__(self, net, steps):
        super().__init__()
        self.net = net
        self.steps = steps
        self.abar = tf.constant(cosine_alphas(steps))
        self.loss_avg = keras.metrics.Mean(name="eps_mse")

    @property
    def metrics(self):
        return [self.loss_avg]

    def train_step(self, images):
        n = tf.shape(images)[0]
        t = tf.random.uniform((n,), 0, self.steps, tf.int32)
        noise = tf.random.normal(tf.shape(images))
        a = tf.gather(self.abar, t)[:, None, None, None]
        noisy = tf.sqrt(a) * images + tf.sqrt(1.0 - a) * noise
        with tf.GradientTape() as tape:
            pred = self.net([noisy, t], training=True)
            loss = tf.reduce_mean(tf.square(pred - noise))
        grads = tape.gradient(loss, self.net.trainable_weights)
        self.optimizer.apply_gradients(zip(grads, self.net.trainable_weights))
        self.loss_avg.update_state(loss)
        return {"eps_mse": self.loss_avg.result()}

    def sample(self, n, stride=100):
        x = tf.random.normal((n, IMG, IMG, CH))
        for t in range(self.steps - 1, -1, -stride):
            a = self.abar[t]
            eps = self.net([x, tf.fill((n,), t)], training=False)
            x0 = (x - tf.sqrt(1 - a) * eps) / tf.sqrt(a)
            prev = self.abar[t - stride] if t - stride >= 0 else tf.constant(1.0)
            x = tf.sqrt(prev) * x0 + tf.sqrt(1 - prev) * eps
        return tf.clip_by_value(x, -1, 1)


data = np.random.uniform(-1, 1, (16, IMG, IMG, CH)).astype("float32")
ds = tf.data.Dataset.from_tensor_slices(data).shuffle(16).batch(BATCH, drop_remainder=True)

ddpm = DDPM(build_unet(), T)
ddpm.compile(optimizer=keras.optimizers.AdamW(2e-4))
ddpm.fit(ds, epochs=1, verbose=2)
print(ddpm.sample(4).shape)
