"""Electric load forecast: 48 hours of 6 features -> next 12 hours."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import keras
from keras import layers

HISTORY = 48
HORIZON = 12
FEATURES = ["load", "temp", "humidity", "wind", "hour_sin", "hour_cos"]

params = {
    "units": [48, 32, 16],
    "dropout": 0.1,
    "lr": 1e-3,
    "batch_size": 32,
    "epochs": 2,
}


def make_series(hours=600):
    t = np.arange(hours)
    load = 50 + 10 * np.sin(2 * np.pi * t / 24) + np.random.randn(hours)
    temp = 15 + 5 * np.sin(2 * np.pi * t / 24 - 1) + np.random.randn(hours)
    hum = 60 + np.random.randn(hours) * 5
    wind = np.abs(np.random.randn(hours)) * 4
    hs, hc = np.sin(2 * np.pi * t / 24), np.cos(2 * np.pi * t / 24)
    return np.stack([load, temp, hum, wind, hs, hc], axis=1).astype("float32")


def window(series, history, horizon):
    xs, ys = [], []
    for i in range(len(series) - history - horizon + 1):
        xs.append(series[i : i + history])
        ys.append(series[i + history : i + history + horizon, 0])
    return np.array(xs), np.array(ys)


class Standardizer:
    def fit(self, a):
        self.mean = a.mean(axis=0)
        self.std = a.std(axis=0) + 1e-6
        return self

    def transform(self, a):
        return (a - self.mean) / self.std

    def inverse_target(self, y):
        return y * self.std[0] + self.mean[0]


def build_model(p):
    model = keras.Sequential(name="load_lstm")
    model.add(keras.Input(shape=(HISTORY, len(FEATURES))))
    n = len(p["units"])
    for i, units in enumerate(p["units"]):
        model.add(layers.LSTM(units, return_sequences=i < n - 1))
        model.add(layers.Dropout(p["dropout"]))
    model.add(layers.Dense(32, activation="relu"))
    model.add(layers.Dense(HORIZON))
    model.compile(optimizer=keras.optimizers.Adam(p["lr"]), loss="mse", metrics=["mae"])
    return model


series = make_series()
split = int(len(series) * 0.8)
scaler = Standardizer().fit(series[:split])
x_train, y_train = window(scaler.transform(series[:split]), HISTORY, HORIZON)
x_test, y_test = window(scaler.transform(series[split:]), HISTORY, HORIZON)
print("train", x_train.shape, y_train.shape)

model = build_model(params)
model.fit(
    x_train,
    y_train,
    validation_split=0.1,
    batch_size=params["batch_size"],
    epochs=params["epochs"],
    callbacks=[keras.callbacks.EarlyStopping(patience=3)],
    verbose=2,
)

pred = scaler.inverse_target(model.predict(x_test, verbose=0))
true = scaler.inverse_target(y_test)
print("MAE per hour:", np.abs(pred - true).mean(axis=0).round(2))
