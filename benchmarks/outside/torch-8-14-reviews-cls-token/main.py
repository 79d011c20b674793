"""Review sentiment with a hand-written transformer encoder and a CLS vector."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

PAD = 0


class HParams:
    vocab = 200
    d_model = 32
    n_heads = 4
    n_layers = 2
    d_ff = 64
    max_len = 64
    dropout = 0.1
    batch_size = 5
    epochs = 1
    lr = 5e-4


class Reviews(Dataset):
    def __init__(self, n, vocab):
        self.reviews = []
        for _ in range(n):
            length = int(torch.randint(6, 30, (1,)))
            self.reviews.append((torch.randint(1, vocab, (length,)), int(torch.rand(1) > 0.5)))

    def __len__(self):
        return len(self.reviews)

    def __getitem__(self, i):
        return self.reviews[i]


def collate_reviews(items):
    tokens = pad_sequence([t for t, _ in items], batch_first=True, padding_value=PAD)
    labels = torch.tensor([l for _, l in items], dtype=torch.float)
    return tokens, tokens.eq(PAD), labels


class SelfAttention(nn.Module):
    def __init__(self, d, h, p):
        super().__init__()
        self.h, self.dk = h, d // h
        self.to_q, self.to_k, self.to_v = (nn.Linear(d, d, bias=False) for _ in range(3))
        self.to_out = nn.Linear(d, d)
        self.drop = nn.Dropout(p)

    def heads(self, t):
        return t.unflatten(-1, (self.h, self.dk)).transpose(1, 2)

    def forward(self, x, pad):
        q, k, v = self.heads(self.to_q(x)), self.heads(self.to_k(x)), self.heads(self.to_v(x))
        scores = q @ k.transpose(-2, -1) / math.sqrt(self.dk)
        scores = scores.masked_fill(pad[:, None, None, :], float("-inf"))
        ctx = self.drop(scores.softmax(-1)) @ v
        return self.to_out(ctx.transpose(1, 2).flatten(2))


class EncoderLayer(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(hp.d_model), nn.LayerNorm(hp.d_model)
        self.att = SelfAttention(hp.d_model, hp.n_heads, hp.dropout)
        self.ff = nn.Sequential(
            nn.Linear(hp.d_model, hp.d_ff), nn.GELU(), nn.Dropout(hp.dropout),
            nn.Linear(hp.d_ff, hp.d_model),
        )

    def forward(self, x, pad):
        x = x + self.att(self.ln1(x), pad)
        return x + self.ff(self.ln2(x))


class SentimentModel(nn.Module):
    def __init__(self, hp):
        super().__init__()
        self.tok = nn.Embedding(hp.vocab, hp.d_model, padding_idx=PAD)
        self.cls = nn.Parameter(torch.randn(1, 1, hp.d_model) * 0.02)
        self.pos = nn.Embedding(hp.max_len + 1, hp.d_model)
        self.layers = nn.ModuleList([EncoderLayer(hp) for _ in range(hp.n_layers)])
        self.ln = nn.LayerNorm(hp.d_model)
        self.score = nn.Linear(hp.d_model, 1)

    def forward(self, tokens, pad):
        b = tokens.size(0)
        x = torch.cat([self.cls.expand(b, -1, -1), self.tok(tokens)], dim=1)
        x = x + self.pos(torch.arange(x.size(1)))
        for layer in self.layers:
            x = layer(x, pad)
        return self.score(self.ln(x[:, 0])).squeeze(-1)


def run():
    torch.manual_seed(8)
    hp = HParams()
    data = Reviews(15, hp.vocab)
    loader = DataLoader(data, hp.batch_size, shuffle=True, collate_fn=collate_reviews)
    model = SentimentModel(hp)
    opt = torch.optim.AdamW(model.parameters(), lr=hp.lr)
    for epoch in range(hp.epochs):
        for i, (tokens, pad, labels) in enumerate(loader):
            logits = model(tokens, pad)
            loss = F.binary_cross_entropy_with_logits(logits, labels)
            opt.zero_grad()
            loss.backward()
            opt.step()
            print(f"epoch {epoch} batch {i} ({tokens.size(1)} tokens) loss {loss.item():.4f}")


if __name__ == "__main__":
    run()
