"""A transformer of four blocks, one of whose MLPs comes back with another width than it was given.

Fault: the last dense layer of `blocks[2].mlp` gives 48 features where the residual stream, and
every other block, has 64: [2, 10, 64] meets [2, 10, 48].
"""

import keras
import numpy as np
from keras import layers


class Block(layers.Layer):
    def __init__(self, width, mlp_out):
        super().__init__()
        self.norm1 = layers.LayerNormalization()
        self.attention = layers.MultiHeadAttention(num_heads=4, key_dim=width // 4)
        self.norm2 = layers.LayerNormalization()
        self.mlp = keras.Sequential([layers.Dense(4 * width, activation="gelu"), layers.Dense(mlp_out)])

    def call(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h)
        return x + self.mlp(self.norm2(x))


class Transformer(keras.Model):
    def __init__(self, words=50, width=64):
        super().__init__()
        self.embed = layers.Embedding(words, width)
        self.blocks = [Block(width, mlp_out) for mlp_out in (64, 64, 48, 64)]
        self.norm = layers.LayerNormalization()
        self.head = layers.Dense(words)

    def call(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


if __name__ == "__main__":
    keras.utils.set_random_seed(0)
    tokens = np.random.randint(0, 50, (2, 10))
    print("input", tokens.shape)
    print("output", tuple(Transformer()(tokens).shape))
