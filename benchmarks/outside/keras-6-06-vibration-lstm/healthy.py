import numpy as np
import tensorflow as tf
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import InputLayer, LSTM, Dense, Dropout, RepeatVector, TimeDistributed

np.random.seed(42)
tf.random.set_seed(42)

# --- bearing vibration, 4 sensors, one row every 10 minutes
rows = 600
t = np.arange(rows)
data = np.stack([np.sin(t / (5.0 + k)) + 0.1 * np.random.randn(rows) for k in range(4)], axis=1)

split = int(rows * 0.7)
train, test = data[:split], data[split:]

# scale
mn, mx = train.min(axis=0), train.max(axis=0)
train = (train - mn) / (mx - mn)
test = (test - mn) / (mx - mn)

WINDOW = 10


def to_sequences(arr, window=WINDOW):
    out = []
    for i in range(len(arr) - window + 1):
        out.append(arr[i:i + window])
    return np.array(out, dtype="float32")


X_train = to_sequences(train)
X_test = to_sequences(test)
print("Training data shape:", X_train.shape)
print("Test data shape:", X_test.shape)


# --- LSTM autoencoder
def autoencoder_model(X):
    m = Sequential()
    m.add(InputLayer(shape=(X.shape[1], X.shape[2])))
    m.add(LSTM(16, activation="tanh", return_sequences=True))
    m.add(Dropout(0.1))
    m.add(LSTM(4, activation="tanh", return_sequences=False))
    m.add(RepeatVector(X.shape[1]))
    m.add(LSTM(4, activation="tanh", return_sequences=True))
    m.add(Dropout(0.1))
    m.add(LSTM(16, activation="tanh", return_sequences=True))
    m.add(TimeDistributed(Dense(X.shape[2])))
    return m


model = autoencoder_model(X_train)
model.compile(optimizer="adam", loss="mae")
model.summary()

hist = model.fit(X_train, X_train, epochs=1, batch_size=32, validation_split=0.05, verbose=2)

# reconstruction error -> threshold
pred = model.predict(X_test, verbose=0)
mae = np.mean(np.abs(pred - X_test), axis=(1, 2))
thr = np.percentile(mae, 98)
print("threshold %.4f, %d anomalies" % (thr, int((mae > thr).sum())))
