"""Tiny intent classifier with a hand written self attention encoder (no keras)."""
import math
import numpy as np
import tensorflow as tf

tf.random.set_seed(7)
rng = np.random.default_rng(7)

PAD = 0
VOCAB, D_MODEL, HEADS, D_FF, N_INTENTS = 300, 32, 4, 64, 5


def glorot(*shape):
    return tf.Variable(tf.random.normal(shape, stddev=1.0 / math.sqrt(shape[0])))


class SelfAttention(tf.Module):
    def __init__(self, d_model, heads):
        super().__init__()
        self.h, self.dk = heads, d_model // heads
        self.wq, self.wk = glorot(d_model, d_model), glorot(d_model, d_model)
        self.wv, self.wo = glorot(d_model, d_model), glorot(d_model, d_model)

    def split(self, x):
        b, t = tf.shape(x)[0], tf.shape(x)[1]
        return tf.transpose(tf.reshape(x, (b, t, self.h, self.dk)), (0, 2, 1, 3))

    def __call__(self, x, mask):
        q, k, v = self.split(x @ self.wq), self.split(x @ self.wk), self.split(x @ self.wv)
        scores = tf.matmul(q, k, transpose_b=True) / math.sqrt(self.dk)
        scores += mask * -1e9
        ctx = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), (0, 2, 1, 3))
        b, t = tf.shape(x)[0], tf.shape(x)[1]
        return tf.reshape(ctx, (b, t, self.h * self.dk)) @ self.wo


class Encoder(tf.Module):
    def __init__(self):
        super().__init__()
        self.emb = glorot(VOCAB, D_MODEL)
        self.attn = SelfAttention(D_MODEL, HEADS)
        self.w1, self.b1 = glorot(D_MODEL, D_FF), tf.Variable(tf.zeros(D_FF))
        self.w2, self.b2 = glorot(D_FF, D_MODEL), tf.Variable(tf.zeros(D_MODEL))
        self.head = glorot(D_MODEL, N_INTENTS)

    def __call__(self, ids):
        mask = make_padding_mask(ids)
        x = tf.gather(self.emb, ids)
        x = x + self.attn(x, mask)
        x = x + tf.nn.relu(x @ self.w1 + self.b1) @ self.w2 + self.b2
        return tf.reduce_mean(x, axis=1) @ self.head


def make_padding_mask(ids):
    mask = tf.cast(tf.equal(ids, PAD), tf.float32)
    return mask


def batches(n, size=16, maxlen=12):
    for _ in range(n):
        ids = rng.integers(1, VOCAB, (size, maxlen))
        for row in ids:
            row[rng.integers(4, maxlen + 1):] = PAD
        yield tf.constant(ids), tf.constant(rng.integers(0, N_INTENTS, size))


model = Encoder()
opt_lr = 0.05

for step, (ids, intent) in enumerate(batches(6)):
    with tf.GradientTape() as tape:
        logits = model(ids)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=intent, logits=logits))
    grads = tape.gradient(loss, model.trainable_variables)
    for v, g in zip(model.trainable_variables, grads):
        v.assign_sub(opt_lr * tf.convert_to_tensor(g))
    print("step", step, "loss %.4f" % float(loss))
