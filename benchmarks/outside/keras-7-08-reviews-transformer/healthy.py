"""Transformer encoder for film reviews."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import keras
from keras import layers, ops

VOCAB = 2000
MAXLEN = 60


class TransformerBlock(layers.Layer):
    def __init__(self, embed_dim, num_heads, ff_dim, rate=0.1, **kwargs):
        super().__init__(**kwargs)
        self.att = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim // num_heads)
        self.ffn = keras.Sequential(
            [
                layers.Dense(ff_dim, activation="gelu"),
                layers.Dense(embed_dim),
            ]
        )
        self.layernorm1 = layers.LayerNormalization(epsilon=1e-6)
        self.layernorm2 = layers.LayerNormalization(epsilon=1e-6)
        self.dropout1 = layers.Dropout(rate)
        self.dropout2 = layers.Dropout(rate)

    def call(self, x, training=False):
        a = self.att(x, x)
        a = self.dropout1(a, training=training)
        out1 = self.layernorm1(x + a)
        f = self.ffn(out1)
        f = self.dropout2(f, training=training)
        return self.layernorm2(out1 + f)


class TokenAndPositionEmbedding(layers.Layer):
    def __init__(self, maxlen, vocab_size, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.token_emb = layers.Embedding(vocab_size, embed_dim)
        self.pos_emb = layers.Embedding(maxlen, embed_dim)

    def call(self, x):
        positions = ops.arange(0, ops.shape(x)[-1], 1)
        return self.token_emb(x) + self.pos_emb(positions)


class ReviewClassifier(keras.Model):
    def __init__(self, embed_dim=32, num_heads=4, ff_dim=64, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.embedding = TokenAndPositionEmbedding(MAXLEN, VOCAB, embed_dim)
        self.blocks = [TransformerBlock(embed_dim, num_heads, ff_dim) for _ in range(depth)]
        self.pool = layers.GlobalAveragePooling1D()
        self.drop = layers.Dropout(0.1)
        self.hidden = layers.Dense(20, activation="relu")
        self.out = layers.Dense(1, activation="sigmoid")

    def call(self, tokens, training=False):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, training=training)
        x = self.drop(self.pool(x), training=training)
        return self.out(self.hidden(x))


def load_reviews(n, seed):
    rng = np.random.default_rng(seed)
    texts = [rng.integers(1, VOCAB, size=rng.integers(10, 120)) for _ in range(n)]
    labels = rng.integers(0, 2, size=n).astype("float32")
    return keras.utils.pad_sequences(texts, maxlen=MAXLEN), labels


def main():
    x_train, y_train = load_reviews(64, 0)
    x_val, y_val = load_reviews(32, 1)
    print(len(x_train), "training sequences", x_train.shape)

    model = ReviewClassifier()
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    history = model.fit(x_train, y_train, batch_size=16, epochs=1, validation_data=(x_val, y_val), verbose=2)
    print({k: round(v[-1], 3) for k, v in history.history.items()})
    probs = model.predict(x_val[:4], verbose=0)
    print("positive" if probs[0, 0] > 0.5 else "negative")


if __name__ == "__main__":
    main()
