import os
import json
import tempfile
import numpy as np
import keras
from keras import layers

WORKDIR = tempfile.mkdtemp()
WEIGHTS = os.path.join(WORKDIR, "bilstm.weights.h5")
VOCAB = os.path.join(WORKDIR, "word_index.json")
MAXLEN = 30


class SimpleTokenizer:
    def __init__(self):
        self.word_index = {}

    def fit(self, texts):
        freq = {}
        for t in texts:
            for w in t.split():
                freq[w] = freq.get(w, 0) + 1
        for i, w in enumerate(sorted(freq, key=freq.get, reverse=True), start=1):
            self.word_index[w] = i

    def encode(self, texts, maxlen=MAXLEN):
        out = np.zeros((len(texts), maxlen), dtype="int32")
        for r, t in enumerate(texts):
            ids = [self.word_index[w] for w in t.split() if w in self.word_index][:maxlen]
            out[r, maxlen - len(ids):] = ids
        return out


def build_classifier(vocab_size, emb=16, units=12):
    return keras.Sequential([
        layers.Input((MAXLEN,), dtype="int32"),
        layers.Embedding(vocab_size, emb),
        layers.SpatialDropout1D(0.2),
        layers.Bidirectional(layers.LSTM(units)),
        layers.Dense(16, activation="relu"),
        layers.Dense(1, activation="sigmoid"),
    ])


def fake_reviews(n, seed=0):
    rs = np.random.RandomState(seed)
    pos = ["great", "lovely", "superb", "tasty", "friendly", "clean"]
    neg = ["awful", "dirty", "slow", "rude", "cold", "bland"]
    rest = ["the", "food", "was", "room", "staff", "and", "we", "went", "again", "place"]
    texts, ys = [], []
    for i in range(n):
        y = i % 2
        texts.append(" ".join(rs.choice(rest + (pos if y else neg), 20)))
        ys.append(y)
    return texts, np.array(ys)


def train():
    texts, y = fake_reviews(96)
    tok = SimpleTokenizer()
    tok.fit(texts)
    x = tok.encode(texts)
    model = build_classifier(len(tok.word_index) + 1)
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=1, batch_size=32, validation_split=0.1, verbose=2)
    model.save_weights(WEIGHTS)
    with open(VOCAB, "w") as f:
        json.dump(tok.word_index, f)


class Predictor:
    def __init__(self, weights, vocab):
        self.tok = SimpleTokenizer()
        with open(vocab) as f:
            self.tok.word_index = json.load(f)
        self.model = build_classifier(vocab_size=len(self.tok.word_index))
        self.model.load_weights(weights)

    def __call__(self, texts):
        return self.model.predict(self.tok.encode(texts), verbose=0).ravel()


if __name__ == "__main__":
    train()
    predictor = Predictor(WEIGHTS, VOCAB)
    for t, p in zip(["great food and clean room", "rude staff"], predictor(["great food and clean room", "rude staff"])):
        print(f"{p:.3f}  {t}")
