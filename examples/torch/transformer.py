"""A healthy transformer encoder: its learned positions broadcast over the batch, as they are meant to.

Adding [1, 16, 32] to [4, 16, 32] is a broadcast that a report must not complain about.
"""

import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, words=200, length=16, width=32, classes=5):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.position = nn.Parameter(torch.zeros(1, length, width))
        layer = nn.TransformerEncoderLayer(width, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, num_layers=2)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, tokens):
        x = self.embed(tokens) + self.position
        x = self.norm(self.layers(x))
        return self.head(x.mean(dim=1))


if __name__ == "__main__":
    torch.manual_seed(0)
    tokens = torch.randint(0, 200, (4, 16))
    print("input", tuple(tokens.shape))
    print("output", tuple(Encoder()(tokens).shape))
