"""Route support tickets: title + body + tags -> priority and department."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import keras
from keras import layers

NUM_TAGS = 12
NUM_WORDS = 1000
NUM_DEPARTMENTS = 4
TITLE_LEN, BODY_LEN = 10, 50
N = 96


def text_branch(name, embed_dim, units):
    inp = keras.Input(shape=(None,), name=name)
    x = layers.Embedding(NUM_WORDS, embed_dim)(inp)
    x = layers.SpatialDropout1D(0.1)(x)
    return inp, x


def build():
    title_in, title = text_branch("title", 32, 32)
    body_in, body = text_branch("body", 64, 32)
    tags_in = keras.Input(shape=(NUM_TAGS,), name="tags")

    title = layers.Bidirectional(layers.LSTM(16))(title)
    body = layers.LSTM(32, return_sequences=True)(body)
    body = layers.Conv1D(32, 5, padding="same", activation="relu")(body)
    tags = layers.Dense(8, activation="relu")(tags_in)

    x = layers.concatenate([title, body, tags])
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(32, activation="relu")(x)

    priority = layers.Dense(1, activation="sigmoid", name="priority")(x)
    department = layers.Dense(NUM_DEPARTMENTS, activation="softmax", name="department")(x)
    return keras.Model(inputs=[title_in, body_in, tags_in], outputs=[priority, department])


def tickets(n):
    rng = np.random.default_rng(7)
    inputs = {
        "title": rng.integers(1, NUM_WORDS, size=(n, TITLE_LEN)),
        "body": rng.integers(1, NUM_WORDS, size=(n, BODY_LEN)),
        "tags": rng.integers(0, 2, size=(n, NUM_TAGS)).astype("float32"),
    }
    targets = {
        "priority": rng.random((n, 1)).astype("float32"),
        "department": rng.integers(0, NUM_DEPARTMENTS, size=(n,)),
    }
    return inputs, targets


def report(model, inputs, k=3):
    priority, department = model.predict({name: v[:k] for name, v in inputs.items()}, verbose=0)
    for p, d in zip(priority[:, 0], department.argmax(axis=-1)):
        print(f"priority {p:.2f}  department {d}")


inputs, targets = tickets(N)
model = build()
model.compile(
    optimizer=keras.optimizers.RMSprop(1e-3),
    loss={"priority": "binary_crossentropy", "department": "sparse_categorical_crossentropy"},
    loss_weights={"priority": 1.0, "department": 0.2},
)
model.fit(inputs, targets, epochs=1, batch_size=32, verbose=2)
report(model, inputs)
