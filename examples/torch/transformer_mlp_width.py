"""A transformer of four blocks, one of whose MLPs comes back with another width than it was given.

Fault: the last linear layer of `blocks.2.mlp` gives 48 features where the residual stream, and
every other block, has 64: [2, 10, 64] meets [2, 10, 48].
"""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, width, mlp_out):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, num_heads=4, batch_first=True)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, mlp_out))

    def forward(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h, h, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self, words=50, width=64):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.blocks = nn.Sequential(*(Block(width, mlp_out) for mlp_out in (64, 64, 48, 64)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, words)

    def forward(self, tokens):
        return self.head(self.norm(self.blocks(self.embed(tokens))))


if __name__ == "__main__":
    torch.manual_seed(0)
    tokens = torch.randint(0, 50, (2, 10))
    print("input", tuple(tokens.shape))
    print("output", tuple(Transformer()(tokens).shape))
