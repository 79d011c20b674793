# Hierarchical vision transformer, Swin layout but with global attention
# (images are so small that windows are not worth it).
import numpy as np
import tensorflow as tf


class Attention(tf.keras.layers.Layer):
    def __init__(self, dim, heads):
        super().__init__()
        self.dim, self.heads = dim, heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = tf.keras.layers.Dense(3 * dim)
        self.proj = tf.keras.layers.Dense(dim)

    def call(self, x):
        b, n = tf.shape(x)[0], x.shape[1]
        qkv = tf.reshape(self.qkv(x), [b, n, 3, self.heads, self.dim // self.heads])
        q, k, v = tf.unstack(tf.transpose(qkv, [2, 0, 3, 1, 4]), axis=0)
        attn = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * self.scale)
        out = tf.transpose(tf.matmul(attn, v), [0, 2, 1, 3])
        return self.proj(tf.reshape(out, [b, n, self.dim]))


class Block(tf.keras.layers.Layer):
    def __init__(self, dim, heads, mlp_ratio=2.0, drop=0.1):
        super().__init__()
        self.norm1 = tf.keras.layers.LayerNormalization(epsilon=1e-5)
        self.attn = Attention(dim, heads)
        self.norm2 = tf.keras.layers.LayerNormalization(epsilon=1e-5)
        self.mlp = tf.keras.Sequential([
            tf.keras.layers.Dense(int(dim * mlp_ratio), activation="gelu"),
            tf.keras.layers.Dropout(drop),
            tf.keras.layers.Dense(dim),
        ])

    def call(self, x, training=None):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x), training=training)


class PatchMerging(tf.keras.layers.Layer):
    """2x2 neighbourhoods to one token, twice the channels."""

    def __init__(self, resolution, dim):
        super().__init__()
        self.res = resolution
        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-5)
        self.reduce = tf.keras.layers.Dense(2 * dim, use_bias=False)

    def call(self, x):
        c = x.shape[-1]
        x = tf.reshape(x, [-1, self.res, self.res, c])
        x = tf.nn.space_to_depth(x, 2)
        x = tf.reshape(x, [-1, (self.res // 2) ** 2, 4 * c])
        return self.reduce(self.norm(x))


class TinySwin(tf.keras.Model):
    def __init__(self, img_size=32, patch=2, embed_dim=16,
                 depths=(1, 1, 2), heads=(2, 4, 8), n_classes=10):
        super().__init__()
        self.patchify = tf.keras.layers.Conv2D(embed_dim, patch, strides=patch)
        self.n_tokens = (img_size // patch) ** 2
        self.embed_dim = embed_dim

        self.stages = []
        res = img_size // patch
        for i, (depth, h) in enumerate(zip(depths, heads)):
            dim = embed_dim * (i + 1)
            for _ in range(depth):
                self.stages.append(Block(dim, h))
            if i < len(depths) - 1:
                self.stages.append(PatchMerging(res, dim))
                res //= 2

        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-5)
        self.head = tf.keras.layers.Dense(n_classes)

    def build(self, input_shape):
        self.pos = self.add_weight(name="pos", shape=(1, self.n_tokens, self.embed_dim),
                                   initializer="random_normal")
        super().build(input_shape)

    def call(self, images, training=None):
        x = self.patchify(images)
        x = tf.reshape(x, [-1, self.n_tokens, self.embed_dim]) + self.pos
        for layer in self.stages:
            x = layer(x)
        x = tf.reduce_mean(self.norm(x), axis=1)
        return self.head(x)


def get_data(n=48):
    rng = np.random.RandomState(123)
    x = rng.normal(size=(n, 32, 32, 3)).astype(np.float32)
    y = rng.randint(0, 10, size=(n,))
    ds = tf.data.Dataset.from_tensor_slices((x, y))
    return ds.shuffle(n, seed=1).batch(16, drop_remainder=True)


tf.random.set_seed(123)
ds = get_data()
model = TinySwin()
model.compile(optimizer=tf.keras.optimizers.AdamW(5e-4, weight_decay=0.05),
              loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=["accuracy"])
h = model.fit(ds, epochs=1, verbose=2)
print("trainable weights:", len(model.trainable_weights))
print("final loss", h.history["loss"][-1])
