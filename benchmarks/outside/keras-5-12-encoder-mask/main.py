"""Intent classification for support tickets, small transformer encoder."""
import numpy as np
import keras
from keras import layers, ops

PAD = 0
cfg = dict(vocab=300, maxlen=24, d_model=32, heads=4, ff=64, layers=2, intents=9, batch=16)


class TokenAndPos(layers.Layer):
    def __init__(self, maxlen, vocab, d, **kw):
        super().__init__(**kw)
        self.maxlen = maxlen
        self.tok = layers.Embedding(vocab, d)
        self.pos = layers.Embedding(maxlen, d)

    def call(self, ids):
        positions = ops.arange(0, self.maxlen)
        return self.tok(ids) + self.pos(positions)


class EncoderLayer(layers.Layer):
    def __init__(self, d, heads, ff, rate=0.1, **kw):
        super().__init__(**kw)
        self.mha = layers.MultiHeadAttention(num_heads=heads, key_dim=d // heads)
        self.ffn1 = layers.Dense(ff, activation="relu")
        self.ffn2 = layers.Dense(d)
        self.ln1 = layers.LayerNormalization(epsilon=1e-6)
        self.ln2 = layers.LayerNormalization(epsilon=1e-6)
        self.do1 = layers.Dropout(rate)
        self.do2 = layers.Dropout(rate)

    def call(self, x, pad_mask=None, training=False):
        a = self.mha(query=x, value=x, key=x, attention_mask=pad_mask)
        x = self.ln1(x + self.do1(a, training=training))
        f = self.ffn2(self.ffn1(x))
        return self.ln2(x + self.do2(f, training=training))


class IntentModel(keras.Model):
    def __init__(self, c):
        super().__init__()
        self.embed = TokenAndPos(c["maxlen"], c["vocab"], c["d_model"])
        self.enc = [EncoderLayer(c["d_model"], c["heads"], c["ff"]) for _ in range(c["layers"])]
        self.drop = layers.Dropout(0.2)
        self.out = layers.Dense(c["intents"], activation="softmax")

    def call(self, ids, training=False):
        mask = ops.not_equal(ids, PAD)
        x = self.embed(ids)
        for layer in self.enc:
            x = layer(x, pad_mask=mask, training=training)
        m = ops.cast(mask, x.dtype)[..., None]
        pooled = ops.sum(x * m, axis=1) / (ops.sum(m, axis=1) + 1e-6)
        return self.out(self.drop(pooled, training=training))


def make_tickets(n, c, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.integers(1, c["vocab"], size=(n, c["maxlen"]))
    lengths = rng.integers(5, c["maxlen"], size=n)
    for row, k in zip(ids, lengths):
        row[k:] = PAD
    return ids.astype("int32"), rng.integers(0, c["intents"], size=n)


def main():
    x, y = make_tickets(96, cfg)
    xv, yv = make_tickets(32, cfg, seed=1)
    model = IntentModel(cfg)
    model.compile(
        optimizer=keras.optimizers.Adam(5e-4),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    model.fit(x, y, validation_data=(xv, yv), batch_size=cfg["batch"], epochs=1, verbose=2)
    print(model.predict(xv[:2], verbose=0).argmax(axis=1))


if __name__ == "__main__":
    main()
