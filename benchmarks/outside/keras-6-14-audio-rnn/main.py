"""keyword spotting on log-mel frames, own GRU so it can be ported to the DSP later"""
import numpy as np
import tensorflow as tf

tf.random.set_seed(0)

N_MELS = 20
FRAMES = 25
UNITS = 24
KEYWORDS = 6
BATCH = 32


def fake_corpus(n):
    rs = np.random.RandomState(4)
    mel = rs.randn(n, FRAMES, N_MELS).astype("float32")
    y = rs.randint(0, KEYWORDS, n)
    return mel, y


class GRU(tf.Module):
    def __init__(self, n_in, units):
        super().__init__()
        init = lambda *s: tf.Variable(tf.random.normal(s, stddev=0.1))
        self.units = units
        self.w_zr = init(n_in + units, 2 * units)
        self.b_zr = tf.Variable(tf.ones([2 * units]))
        self.w_h = init(n_in + units, units)
        self.b_h = tf.Variable(tf.zeros([units]))

    def zero_state(self, batch_size):
        return tf.zeros([batch_size, self.units])

    def step(self, x_t, h):
        zr = tf.sigmoid(tf.matmul(tf.concat([x_t, h], 1), self.w_zr) + self.b_zr)
        z, r = tf.split(zr, 2, axis=1)
        cand = tf.tanh(tf.matmul(tf.concat([x_t, r * h], 1), self.w_h) + self.b_h)
        return (1.0 - z) * h + z * cand

    def __call__(self, x, h):
        for t in range(x.shape[1]):
            h = self.step(x[:, t], h)
        return h


class Spotter(tf.Module):
    def __init__(self):
        super().__init__()
        self.rnn = GRU(N_MELS, UNITS)
        self.w = tf.Variable(tf.random.normal([UNITS, KEYWORDS], stddev=0.1))
        self.b = tf.Variable(tf.zeros([KEYWORDS]))

    def __call__(self, mel):
        h = self.rnn(mel, self.rnn.zero_state(BATCH))
        return tf.matmul(h, self.w) + self.b


def train(net, ds, lr=0.1, epochs=1):
    for epoch in range(epochs):
        losses = []
        for mel, y in ds:
            with tf.GradientTape() as tape:
                ce = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=net(mel))
                loss = tf.reduce_mean(ce)
            grads = tape.gradient(loss, net.trainable_variables)
            for v, g in zip(net.trainable_variables, grads):
                v.assign_sub(lr * g)
            losses.append(float(loss))
        print("epoch %d loss %.4f over %d batches" % (epoch, np.mean(losses), len(losses)))


mel, y = fake_corpus(150)
ds = tf.data.Dataset.from_tensor_slices((mel, y)).shuffle(150, seed=0).batch(BATCH)
net = Spotter()
train(net, ds)
print("logits", net(mel[:4]).numpy().argmax(1))
