import numpy as np
import tensorflow as tf

# hourly household load, forecast next hour
HISTORY = 24
BATCH = 32
FEATURES = ["load", "temp", "hour_sin", "hour_cos"]


def synth_series(hours=400, seed=7):
    rng = np.random.default_rng(seed)
    t = np.arange(hours)
    temp = 10 + 8 * np.sin(2 * np.pi * t / (24 * 30)) + rng.normal(0, 1, hours)
    load = 2 + np.sin(2 * np.pi * t / 24) + 0.05 * temp + rng.normal(0, .1, hours)
    return np.stack([load, temp, np.sin(2 * np.pi * t / 24), np.cos(2 * np.pi * t / 24)], axis=1).astype(np.float32)


def windowed(series, history, batch, shuffle=None):
    ds = tf.data.Dataset.from_tensor_slices(series)
    ds = ds.window(history + 1, shift=1)
    ds = ds.flat_map(lambda w: w.batch(history + 1))
    if shuffle:
        ds = ds.shuffle(shuffle, seed=0)
    ds = ds.map(lambda w: (w[:-1], w[-1, 0]))
    return ds.batch(batch).prefetch(1)


class Forecaster(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        self.rnn = tf.keras.layers.GRU(units)
        self.hidden = tf.keras.layers.Dense(16, activation="relu")
        self.out = tf.keras.layers.Dense(1)

    def call(self, x):
        return tf.squeeze(self.out(self.hidden(self.rnn(x))), axis=-1)


series = synth_series()
split = int(0.8 * len(series))
mu, sd = series[:split].mean(0), series[:split].std(0)
series = (series - mu) / sd

train_ds = windowed(series[:split], HISTORY, BATCH)
val_ds = windowed(series[split:], HISTORY, BATCH)

model = Forecaster(24)
opt = tf.keras.optimizers.Adam(1e-3)
huber = tf.keras.losses.Huber()


@tf.function(reduce_retracing=True)
def train_step(x, y):
    with tf.GradientTape() as tape:
        pred = model(x, training=True)
        loss = huber(y, pred)
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(1):
    losses = [float(train_step(x, y)) for x, y in train_ds]
    val = [float(huber(y, model(x, training=False))) for x, y in val_ds]
    print(f"epoch {epoch}: train {np.mean(losses):.4f}  val {np.mean(val):.4f}")

last = series[None, -HISTORY:]
print("next hour:", float(model(last)[0]) * sd[0] + mu[0])
