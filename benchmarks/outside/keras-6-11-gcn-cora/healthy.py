"""Graph convolutional network for molecule toxicity, batched dense graphs."""
import numpy as np
import keras
from keras import layers, ops, activations

keras.utils.set_random_seed(0)

N_ATOMS = 18
N_FEATS = 11
HIDDEN = 24


class GraphConv(layers.Layer):
    def __init__(self, units, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activations.get(activation)

    def build(self, input_shape):
        x_shape, a_shape = input_shape
        self.kernel = self.add_weight(
            shape=(x_shape[-1], self.units),
            initializer="glorot_uniform",
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0][:-1]) + (self.units,)

    def call(self, inputs):
        x, a = inputs
        support = ops.matmul(x, self.kernel)
        out = ops.matmul(a, support) + self.bias
        return self.activation(out)


def normalize_adj(a):
    a = a + np.eye(a.shape[-1])
    d = a.sum(-1)
    d_inv = 1.0 / np.sqrt(d)
    return a * d_inv[..., :, None] * d_inv[..., None, :]


def fake_molecules(n):
    feats = np.random.rand(n, N_ATOMS, N_FEATS).astype("float32")
    adj = (np.random.rand(n, N_ATOMS, N_ATOMS) > 0.85).astype("float32")
    adj = np.maximum(adj, adj.transpose(0, 2, 1))
    toxic = np.random.randint(0, 2, (n, 1)).astype("float32")
    return feats, normalize_adj(adj).astype("float32"), toxic


def build_gcn():
    feats = keras.Input((N_ATOMS, N_FEATS), name="feats")
    adj = keras.Input((N_ATOMS, N_ATOMS), name="adj")
    h = GraphConv(HIDDEN, activation="relu", name="gc1")([feats, adj])
    h = layers.Dropout(0.2)(h)
    h = GraphConv(HIDDEN, activation="relu", name="gc2")([h, adj])
    pooled = layers.GlobalAveragePooling1D()(h)
    out = layers.Dense(1, activation="sigmoid")(pooled)
    return keras.Model([feats, adj], out)


x, a, y = fake_molecules(96)
xv, av, yv = fake_molecules(32)
gcn = build_gcn()
gcn.compile("adam", "binary_crossentropy", metrics=["accuracy"])
gcn.fit([x, a], y, validation_data=([xv, av], yv), batch_size=16, epochs=1, verbose=2)
print("toxic:", gcn.predict([xv, av], verbose=0)[:4, 0])
