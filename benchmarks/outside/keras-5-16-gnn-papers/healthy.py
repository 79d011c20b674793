import numpy as np
import tensorflow as tf

tf.random.set_seed(0)
rng = np.random.default_rng(0)

NUM_PAPERS = 180
NUM_WORDS = 50
NUM_SUBJECTS = 6


def load_citations():
    feats = (rng.random((NUM_PAPERS, NUM_WORDS)) < 0.1).astype("float32")
    subjects = rng.integers(0, NUM_SUBJECTS, NUM_PAPERS)
    cited = rng.integers(0, NUM_PAPERS - 10, size=(700, 2))
    return feats, cited.astype("int32"), subjects.astype("int32")


class FFN(tf.Module):
    def __init__(self, n_in, units, name=None):
        super().__init__(name=name)
        self.layers = []
        for u in units:
            w = tf.Variable(tf.random.normal((n_in, u), stddev=(2.0 / n_in) ** 0.5), name="w")
            b = tf.Variable(tf.zeros((u,)), name="b")
            self.layers.append((w, b))
            n_in = u

    def __call__(self, x):
        for w, b in self.layers:
            x = tf.nn.gelu(tf.matmul(x, w) + b)
        return x


class GraphConv(tf.Module):
    def __init__(self, n_in, units):
        super().__init__()
        self.prepare = FFN(n_in, units)
        self.update = FFN(n_in + units[-1], units)

    def aggregate(self, src_idx, messages, num_nodes):
        return tf.math.unsorted_segment_mean(messages, src_idx, num_segments=num_nodes)

    def __call__(self, h, edges):
        src, dst = edges[:, 0], edges[:, 1]
        neigh = tf.gather(h, dst)
        msgs = self.prepare(neigh)
        agg = self.aggregate(src, msgs, tf.shape(h)[0])
        h = tf.concat([h, agg], axis=1)
        return tf.nn.l2_normalize(self.update(h), axis=-1)


class NodeClassifier(tf.Module):
    def __init__(self, n_feats, hidden, n_classes):
        super().__init__()
        self.pre = FFN(n_feats, [hidden, hidden])
        self.conv1 = GraphConv(hidden, [hidden])
        self.conv2 = GraphConv(hidden, [hidden])
        self.w_out = tf.Variable(tf.random.normal((hidden, n_classes), stddev=0.1))

    def __call__(self, feats, edges):
        x = self.pre(feats)
        x = x + self.conv1(x, edges)
        x = x + self.conv2(x, edges)
        return tf.matmul(x, self.w_out)


feats, edges, y = load_citations()
perm = rng.permutation(NUM_PAPERS)
train_idx, test_idx = perm[:120], perm[120:]

gnn = NodeClassifier(NUM_WORDS, 32, NUM_SUBJECTS)
opt = tf.keras.optimizers.Adam(0.01)


@tf.function
def step(feats, edges, idx, labels):
    with tf.GradientTape() as tape:
        logits = tf.gather(gnn(feats, edges), idx)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    grads = tape.gradient(loss, gnn.trainable_variables)
    opt.apply_gradients(zip(grads, gnn.trainable_variables))
    return loss


opt.build(gnn.trainable_variables)
for epoch in range(5):
    loss = step(tf.constant(feats), tf.constant(edges), tf.constant(train_idx), tf.constant(y[train_idx]))
    print("epoch", epoch, "loss", float(loss))

pred = tf.argmax(gnn(feats, edges), axis=1).numpy()[test_idx]
print("test acc", (pred == y[test_idx]).mean())
