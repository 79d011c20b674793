"""Wake word detection on log-mel frames, listens to one clip after every epoch."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import keras
from keras import layers

SAMPLE_RATE = 8000
FRAME = 256
HOP = 128
N_MELS = 20
WORDS = ["yes", "no", "stop", "go"]


def log_mel(wave, proj):
    n = 1 + (len(wave) - FRAME) // HOP
    frames = np.stack([wave[i * HOP : i * HOP + FRAME] for i in range(n)])
    spec = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1))
    return np.log(spec @ proj + 1e-6)


def load_clips(n, seed=0):
    rng = np.random.default_rng(seed)
    proj = np.abs(rng.normal(size=(FRAME // 2 + 1, N_MELS)))
    x, y = [], []
    for _ in range(n):
        k = int(rng.integers(len(WORDS)))
        t = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
        wave = np.sin(2 * np.pi * (300 + 200 * k) * t) + 0.3 * rng.normal(size=t.shape)
        x.append(log_mel(wave, proj))
        y.append(k)
    return np.array(x, dtype="float32"), keras.utils.to_categorical(y, len(WORDS))


class Listen(keras.callbacks.Callback):
    """Prints what the net hears in one held-out clip."""

    def __init__(self, clips, labels, index=0):
        super().__init__()
        self.clips = clips
        self.labels = labels
        self.index = index

    def on_epoch_end(self, epoch, logs=None):
        clip = self.clips[self.index]
        probs = self.model.predict(clip[np.newaxis], verbose=0)[0]
        heard = WORDS[int(np.argmax(probs))]
        truth = WORDS[int(np.argmax(self.labels[self.index]))]
        print(f"  epoch {epoch}: said {truth!r}, heard {heard!r} ({probs.max():.2f})")


def build_model(input_shape):
    model = keras.Sequential(
        [
            layers.Input(shape=input_shape),
            layers.Normalization(axis=-1),
            layers.Conv1D(32, 5, padding="causal", activation="relu"),
            layers.MaxPooling1D(2),
            layers.Conv1D(64, 5, padding="causal", activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dropout(0.2),
            layers.Dense(len(WORDS), activation="softmax"),
        ]
    )
    return model


if __name__ == "__main__":
    x_train, y_train = load_clips(64)
    x_val, y_val = load_clips(16, seed=5)
    model = build_model(x_train.shape[1:])
    model.layers[0].adapt(x_train)
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(
        x_train,
        y_train,
        validation_data=(x_val, y_val),
        epochs=2,
        batch_size=16,
        callbacks=[Listen(x_val, y_val), keras.callbacks.ReduceLROnPlateau(patience=2)],
        verbose=2,
    )
    print("val acc", model.evaluate(x_val, y_val, verbose=0)[1])
