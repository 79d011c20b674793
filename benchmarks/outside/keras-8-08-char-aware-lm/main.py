"""Character-aware language model, after Kim et al. (AAAI 2016).

word (as characters) -> CNN over characters -> highway -> LSTM -> next word
"""
import numpy as np
import tensorflow as tf

CORPUS = """the quick brown fox jumps over the lazy dog while the small cat
watches from the window and the old man who lives next door waters his garden
every morning before the children walk to school and the baker opens the shop
and sells warm bread to people who are waiting for the bus in the cold wind
until the rain comes back and the whole street smells of wet leaves again""".split()

hparams = {
    "char_dim": 12,
    "max_word_len": 12,
    "kernel_widths": [1, 2, 3, 4],
    "kernel_features": [8, 16, 24, 32, 40],
    "highway_layers": 2,
    "rnn_size": 48,
    "seq_len": 8,
    "batch_size": 8,
    "dropout": 0.3,
}


class Highway(tf.keras.layers.Layer):
    """y = t * g(Wx + b) + (1 - t) * x"""

    def __init__(self, size, bias=-2.0, **kw):
        super().__init__(**kw)
        self.transform = tf.keras.layers.Dense(size, activation="relu")
        self.gate = tf.keras.layers.Dense(
            size, activation="sigmoid",
            bias_initializer=tf.keras.initializers.Constant(bias))

    def call(self, x):
        t = self.gate(x)
        return t * self.transform(x) + (1.0 - t) * x


class CharCNN(tf.keras.layers.Layer):
    """Max-over-time convolutions of several widths over one word."""

    def __init__(self, widths, features, **kw):
        super().__init__(**kw)
        self.convs = [tf.keras.layers.Conv1D(f, w, activation="tanh")
                      for w, f in zip(widths, features)]

    def call(self, chars):
        pooled = [tf.reduce_max(conv(chars), axis=1) for conv in self.convs]
        return tf.concat(pooled, axis=-1)


class CharAwareLM(tf.keras.Model):
    def __init__(self, n_chars, n_words, hp):
        super().__init__()
        self.hp = hp
        self.char_embed = tf.keras.layers.Embedding(n_chars, hp["char_dim"])
        self.cnn = CharCNN(hp["kernel_widths"], hp["kernel_features"])
        word_size = sum(hp["kernel_features"])
        self.highways = [Highway(word_size, name=f"highway_{i}")
                         for i in range(hp["highway_layers"])]
        self.drop = tf.keras.layers.Dropout(hp["dropout"])
        self.lstm = tf.keras.layers.LSTM(hp["rnn_size"], return_sequences=True)
        self.out = tf.keras.layers.Dense(n_words)

    def encode_word(self, chars):
        x = self.cnn(self.char_embed(chars))
        for layer in self.highways:
            x = layer(x)
        return x

    def call(self, chars, training=None):
        # (batch, seq, word_len): fold the sequence into the batch for the CNN
        seq, word_len = self.hp["seq_len"], self.hp["max_word_len"]
        flat = tf.reshape(chars, (-1, word_len))
        words = self.encode_word(flat)
        words = tf.reshape(words, (-1, seq, words.shape[-1]))
        h = self.lstm(self.drop(words, training=training))
        return self.out(self.drop(h, training=training))


def build_dataset(hp):
    vocab = {w: i for i, w in enumerate(sorted(set(CORPUS)))}
    chars = {c: i + 1 for i, c in enumerate(sorted(set("".join(CORPUS))))}

    as_chars = np.zeros((len(CORPUS), hp["max_word_len"]), "int32")
    for row, word in zip(as_chars, CORPUS):
        for j, c in enumerate(word[:hp["max_word_len"]]):
            row[j] = chars[c]
    as_ids = np.array([vocab[w] for w in CORPUS], "int32")

    rng = np.random.default_rng(5)
    starts = rng.integers(0, len(CORPUS) - hp["seq_len"] - 1, size=32)
    x = np.stack([as_chars[s:s + hp["seq_len"]] for s in starts])
    y = np.stack([as_ids[s + 1:s + 1 + hp["seq_len"]] for s in starts])
    ds = tf.data.Dataset.from_tensor_slices((x, y))
    ds = ds.batch(hp["batch_size"], drop_remainder=True)
    return ds, len(chars) + 1, len(vocab)


def main():
    tf.keras.utils.set_random_seed(5)
    ds, n_chars, n_words = build_dataset(hparams)
    print(f"{n_words} words, {n_chars} characters")
    model = CharAwareLM(n_chars, n_words, hparams)
    model.compile(
        optimizer=tf.keras.optimizers.SGD(1.0, clipnorm=5.0),
        loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    hist = model.fit(ds, epochs=1, verbose=0)
    print("perplexity %.1f" % np.exp(hist.history["loss"][-1]))


if __name__ == "__main__":
    main()
