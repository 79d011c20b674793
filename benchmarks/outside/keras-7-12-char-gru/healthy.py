"""Character level GRU written from scratch in TensorFlow 2."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
import tensorflow as tf

TEXT = "the quick brown fox jumps over the lazy dog and runs into the quiet forest. " * 8
SEQ_LEN = 20
BATCH = 16
HIDDEN = 48
EMBED = 24
LR = 5e-3

chars = sorted(set(TEXT))
char2id = {c: i for i, c in enumerate(chars)}
VOCAB = len(chars)
ids = np.array([char2id[c] for c in TEXT], dtype=np.int32)


def split_input_target(chunk):
    return chunk[:-1], chunk[1:]


sequences = tf.data.Dataset.from_tensor_slices(ids).batch(SEQ_LEN + 1, drop_remainder=True)
dataset = sequences.map(split_input_target).shuffle(100).batch(BATCH)


class GRUCell(tf.Module):
    def __init__(self, n_in, n_hidden, name=None):
        super().__init__(name=name)
        init = tf.keras.initializers.GlorotUniform()
        self.W = tf.Variable(init([n_in, 2 * n_hidden]), name="W_gates")
        self.U = tf.Variable(init([n_hidden, 2 * n_hidden]), name="U_gates")
        self.b = tf.Variable(tf.zeros([2 * n_hidden]), name="b_gates")
        self.Wc = tf.Variable(init([n_in, n_hidden]), name="W_cand")
        self.Uc = tf.Variable(init([n_hidden, n_hidden]), name="U_cand")
        self.bc = tf.Variable(tf.zeros([n_hidden]), name="b_cand")

    def __call__(self, x, h):
        gates = tf.sigmoid(tf.matmul(x, self.W) + tf.matmul(h, self.U) + self.b)
        z, r = tf.split(gates, 2, axis=1)
        cand = tf.tanh(tf.matmul(x, self.Wc) + tf.matmul(r * h, self.Uc) + self.bc)
        return (1.0 - z) * h + z * cand


class CharModel(tf.Module):
    def __init__(self):
        super().__init__()
        self.embedding = tf.Variable(tf.random.normal([VOCAB, EMBED], stddev=0.1))
        self.cell = GRUCell(EMBED, HIDDEN)
        self.Wo = tf.Variable(tf.random.normal([HIDDEN, VOCAB], stddev=0.1))
        self.bo = tf.Variable(tf.zeros([VOCAB]))

    def logits(self, h):
        return tf.matmul(h, self.Wo) + self.bo

    def __call__(self, tokens):
        h = tf.zeros([tf.shape(tokens)[0], HIDDEN])
        x = tf.nn.embedding_lookup(self.embedding, tokens)
        outputs = []
        for t in range(SEQ_LEN):
            h = self.cell(x[:, t], h)
            outputs.append(self.logits(h))
        return tf.stack(outputs, axis=1)

    def generate(self, start, length):
        h = tf.zeros([1, HIDDEN])
        out = start
        token = char2id[start]
        for _ in range(length):
            x = tf.nn.embedding_lookup(self.embedding, [token])
            h = self.cell(x, h)
            token = int(tf.random.categorical(self.logits(h), 1)[0, 0])
            out += chars[token]
        return out


model = CharModel()
optimizer = tf.keras.optimizers.Adam(LR)


def train_step(x, y):
    with tf.GradientTape() as tape:
        logits = model(x)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    grads = tape.gradient(loss, model.trainable_variables)
    grads, _ = tf.clip_by_global_norm(grads, 1.0)
    optimizer.apply_gradients(zip(grads, model.trainable_variables))
    return loss


for epoch in range(2):
    losses = [float(train_step(x, y)) for x, y in dataset]
    print(f"epoch {epoch}: loss {np.mean(losses):.3f}")
print(model.generate("t", 40))
