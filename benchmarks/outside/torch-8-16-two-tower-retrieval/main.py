"""
Two-tower retrieval (query tower / document tower) with in-batch negatives.

The corpus is generated: every document is about one topic, and words are drawn
from the topic's part of the vocabulary, so that there is something to learn.
"""
import random

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

PAD, BOS, EOS = 0, 1, 2
FIRST_WORD = 3
WORDS_PER_TOPIC = 40
N_TOPICS = 6
VOCAB_SIZE = FIRST_WORD + WORDS_PER_TOPIC * N_TOPICS

QUERY_LEN = 10
DOC_LEN = 32


def draw_words(topic, n, rng):
    base = FIRST_WORD + topic * WORDS_PER_TOPIC
    return [base + rng.randrange(WORDS_PER_TOPIC) for _ in range(n)]


def encode(words, max_len):
    """BOS w1 .. wn EOS PAD .. PAD"""
    ids = [BOS] + words[:max_len] + [EOS]
    ids += [PAD] * (max_len - len(ids))
    return torch.tensor(ids)


class PairDataset(Dataset):
    def __init__(self, n_pairs, seed):
        rng = random.Random(seed)
        self.pairs = []
        for _ in range(n_pairs):
            topic = rng.randrange(N_TOPICS)
            query = draw_words(topic, rng.randint(2, 7), rng)
            doc = draw_words(topic, rng.randint(12, 45), rng)
            self.pairs.append((query, doc))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, i):
        query, doc = self.pairs[i]
        return {"query": encode(query, QUERY_LEN), "doc": encode(doc, DOC_LEN)}


class Tower(nn.Module):
    def __init__(self, embedding, max_len, hidden, out):
        super().__init__()
        self.embedding = embedding
        self.position = nn.Parameter(torch.zeros(max_len, embedding.embedding_dim))
        self.mix = nn.Sequential(
            nn.Linear(embedding.embedding_dim, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
        )
        self.project = nn.Linear(2 * hidden, out)

    def forward(self, ids):
        keep = (ids != PAD).unsqueeze(-1)
        h = self.mix(self.embedding(ids) + self.position)
        mean = (h * keep).sum(1) / keep.sum(1)
        top = h.masked_fill(~keep, -1e4).amax(1)
        return F.normalize(self.project(torch.cat([mean, top], dim=-1)), dim=-1)


class TwoTower(nn.Module):
    def __init__(self, dim=32, hidden=48, out=24):
        super().__init__()
        shared = nn.Embedding(VOCAB_SIZE, dim, padding_idx=PAD)
        self.query_tower = Tower(shared, QUERY_LEN, hidden, out)
        self.doc_tower = Tower(shared, DOC_LEN, hidden, out)
        self.log_temperature = nn.Parameter(torch.tensor(2.0))

    def forward(self, query, doc):
        q = self.query_tower(query)
        d = self.doc_tower(doc)
        return q @ d.t() * self.log_temperature.exp()


def train():
    torch.manual_seed(0)
    loader = DataLoader(PairDataset(48, seed=4), batch_size=16, shuffle=True, drop_last=True)
    model = TwoTower()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step, batch in enumerate(loader):
        sim = model(batch["query"], batch["doc"])
        target = torch.arange(sim.size(0))
        loss = 0.5 * (F.cross_entropy(sim, target) + F.cross_entropy(sim.t(), target))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        recall = (sim.argmax(1) == target).float().mean()
        print(f"step {step:2d}  loss {loss.item():.4f}  recall@1 {recall.item():.2f}")


if __name__ == "__main__":
    train()
