"""Sequence-to-sequence with Bahdanau attention: "12 mar 2004" -> "2004-03-12"."""
import random

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
PAD, BOS, EOS = 0, 1, 2
SRC_CHARS = sorted(set("0123456789 " + "".join(MONTHS)))
TGT_CHARS = list("0123456789-")
SRC = {c: i + 3 for i, c in enumerate(SRC_CHARS)}
TGT = {c: i + 3 for i, c in enumerate(TGT_CHARS)}
TGT_INV = {i: c for c, i in TGT.items()}
MAX_SRC, MAX_TGT = 11, 12


def make_pairs(n):
    pairs = []
    for _ in range(n):
        d, m, y = random.randint(1, 28), random.randint(1, 12), random.randint(1950, 2030)
        pairs.append((f"{d} {MONTHS[m - 1]} {y}", f"{y}-{m:02d}-{d:02d}"))
    return pairs


def encode_pairs(pairs):
    src = np.full((len(pairs), MAX_SRC), PAD, "int32")
    tgt = np.full((len(pairs), MAX_TGT), PAD, "int32")
    for i, (a, b) in enumerate(pairs):
        src[i, :len(a)] = [SRC[c] for c in a]
        tgt[i] = [BOS] + [TGT[c] for c in b] + [EOS]
    return src, tgt


class Encoder(layers.Layer):
    def __init__(self, vocab, emb, units):
        super().__init__()
        self.embedding = layers.Embedding(vocab, emb)
        self.rnn = layers.Bidirectional(
            layers.GRU(units, return_sequences=True, return_state=True))
        self.bridge = layers.Dense(units, activation="tanh")

    def call(self, src):
        seq, fwd, bwd = self.rnn(self.embedding(src))
        return seq, self.bridge(tf.concat([fwd, bwd], axis=-1))


class AdditiveAttention(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.w_query = layers.Dense(units, use_bias=False)
        self.w_keys = layers.Dense(units, use_bias=False)
        self.v = layers.Dense(1, use_bias=False)

    def call(self, query, keys, pad):
        score = self.v(tf.tanh(self.w_query(query)[:, None] + self.w_keys(keys)))
        score += -1e9 * tf.cast(pad, score.dtype)[:, :, None]
        weights = tf.nn.softmax(score, axis=1)
        return tf.reduce_sum(weights * keys, axis=1)


class Decoder(layers.Layer):
    def __init__(self, vocab, emb, units):
        super().__init__()
        self.embedding = layers.Embedding(vocab, emb)
        self.attention = AdditiveAttention(units)
        self.cell = layers.GRUCell(units)
        self.fc = layers.Dense(vocab)

    def call(self, token, state, keys, pad):
        context = self.attention(state, keys, pad)
        x = tf.concat([self.embedding(token), context], axis=-1)
        out, _ = self.cell(x, [state])
        return self.fc(out), out


class DateTranslator(tf.keras.Model):
    def __init__(self, emb=16, units=32):
        super().__init__()
        self.encoder = Encoder(len(SRC) + 3, emb, units)
        self.decoder = Decoder(len(TGT) + 3, emb, units)

    def call(self, inputs):
        """Teacher forcing; inputs are (source, shifted target)."""
        src, tgt_in = inputs
        pad = tf.equal(src, PAD)
        keys, state = self.encoder(src)
        logits = []
        for t in range(MAX_TGT - 1):
            step, state = self.decoder(tgt_in[:, t], state, keys, pad)
            logits.append(step)
        return tf.stack(logits, axis=1)

    def translate(self, sentences):
        src, _ = encode_pairs([(s, "0000-00-00") for s in sentences])
        src = tf.constant(src)
        pad = tf.equal(src, PAD)
        keys, state = self.encoder(src)
        token = tf.fill([1], BOS)
        result = []
        for _ in range(MAX_TGT - 1):
            logits, state = self.decoder(token, state, keys, pad)
            token = tf.argmax(logits, axis=-1, output_type=tf.int32)
            result.append(token)
        ids = tf.stack(result, axis=1).numpy()
        return ["".join(TGT_INV.get(i, "") for i in row) for row in ids]


def main():
    random.seed(1)
    tf.keras.utils.set_random_seed(1)
    src, tgt = encode_pairs(make_pairs(64))
    ds = tf.data.Dataset.from_tensor_slices(((src, tgt[:, :-1]), tgt[:, 1:])).batch(16)

    model = DateTranslator()
    model.compile(
        optimizer="adam",
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    history = model.fit(ds, epochs=1, verbose=0)
    print("loss after one epoch: %.3f" % history.history["loss"][0])

    questions = ["3 may 1979", "21 aug 2001", "10 nov 1993"]
    for q, a in zip(questions, model.translate(questions)):
        print(f"{q:>12} -> {a}")


if __name__ == "__main__":
    main()
