"""A tagger that sets each word's embedding beside what the LSTM says of it, and then forgets to count it.

Fault: the LSTM gives 64 features and the skip adds the 32 of the embedding, 96 together, and `head`
expects the 64 that it had before somebody added the skip.
"""

import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, words=100, tags=9):
        super().__init__()
        self.embed = nn.Embedding(words, 32)
        self.lstm = nn.LSTM(32, 64, batch_first=True)
        self.norm = nn.LayerNorm(64)
        self.head = nn.Linear(64, tags)

    def forward(self, tokens):
        embedded = self.embed(tokens)
        read, _ = self.lstm(embedded)
        features = torch.cat([self.norm(read), embedded], dim=-1)
        return self.head(features)


if __name__ == "__main__":
    torch.manual_seed(0)
    tokens = torch.randint(0, 100, (4, 12))
    print("input", tuple(tokens.shape))
    print("output", tuple(Tagger()(tokens).shape))
