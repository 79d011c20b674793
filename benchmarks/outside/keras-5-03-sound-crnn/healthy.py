# Sound event detection, CRNN on log-mel patches
import numpy as np
import tensorflow as tf
from tensorflow.keras import Model, Input
from tensorflow.keras.layers import (Conv2D, BatchNormalization, Activation, MaxPooling2D,
                                     Dropout, Permute, Reshape, Bidirectional, GRU,
                                     TimeDistributed, Dense)

SR = 16000
HOP = 512
N_MELS = 64
FRAMES = 96
EVENTS = ["car", "dog", "siren", "speech", "drill", "steps"]

POOLS = [(2, 2), (2, 2), (2, 1)]
FILTERS = [32, 64, 64]


def logmel(wave):
    spec = tf.abs(tf.signal.stft(wave, 1024, HOP, 1024, pad_end=True))
    mel_w = tf.signal.linear_to_mel_weight_matrix(N_MELS, 513, SR, 50., 8000.)
    mel = tf.math.log(tf.matmul(spec, mel_w) + 1e-6)
    return mel.numpy()


def load_clip(rng):
    wave = rng.normal(0, 0.1, HOP * FRAMES).astype(np.float32)
    feat = logmel(wave).T[..., None]
    onset = rng.integers(0, FRAMES - 30)
    roll = np.zeros((FRAMES, len(EVENTS)), np.float32)
    roll[onset:onset + 30, rng.integers(len(EVENTS))] = 1
    return feat, roll[::4]


def load_split(n, seed):
    rng = np.random.default_rng(seed)
    xs, ys = zip(*[load_clip(rng) for _ in range(n)])
    return np.stack(xs), np.stack(ys)


def build_crnn():
    spec = Input(shape=(N_MELS, FRAMES, 1), name="logmel")
    x = spec
    for f, p in zip(FILTERS, POOLS):
        x = Conv2D(f, (3, 3), padding="same")(x)
        x = BatchNormalization()(x)
        x = Activation("relu")(x)
        x = MaxPooling2D(pool_size=p)(x)
        x = Dropout(0.2)(x)

    # (mel, time, ch) -> (time, mel, ch)
    x = Permute((2, 1, 3))(x)
    x = Reshape((FRAMES // 4, (N_MELS // 8) * FILTERS[-1]))(x)

    x = Bidirectional(GRU(32, return_sequences=True, dropout=0.2), merge_mode="mul")(x)
    x = Bidirectional(GRU(32, return_sequences=True, dropout=0.2), merge_mode="mul")(x)
    x = TimeDistributed(Dense(32, activation="relu"))(x)
    out = TimeDistributed(Dense(len(EVENTS), activation="sigmoid"), name="events")(x)
    return Model(spec, out)


def frame_f1(y, p, thr=0.5):
    p = p > thr
    tp = np.sum(p * y)
    return 2 * tp / max(1.0, p.sum() + y.sum())


if __name__ == "__main__":
    x_tr, y_tr = load_split(12, 0)
    x_va, y_va = load_split(4, 1)
    print("train", x_tr.shape, y_tr.shape)

    crnn = build_crnn()
    crnn.summary()
    crnn.compile(optimizer="adam", loss="binary_crossentropy")
    crnn.fit(x_tr, y_tr, validation_data=(x_va, y_va), batch_size=4, epochs=1, verbose=2)
    print("frame f1", frame_f1(y_va, crnn.predict(x_va, verbose=0)))
