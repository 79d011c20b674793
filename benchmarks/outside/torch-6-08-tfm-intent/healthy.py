import math
import random
import torch
import torch.nn as nn
from torch.utils.data import DataLoader

random.seed(5)
torch.manual_seed(5)
VOCAB_SIZE, NUM_INTENTS, PAD = 300, 7, 0


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=256):
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(1, max_len, d_model)
        pe[0, :, 0::2] = torch.sin(position * div_term)
        pe[0, :, 1::2] = torch.cos(position * div_term)
        self.register_buffer('pe', pe)

    def forward(self, x):
        x = x + self.pe[:, :x.size(1)]
        return self.dropout(x)


class IntentClassifier(nn.Module):
    def __init__(self, vocab, d_model=64, nhead=4, nlayers=2, n_cls=NUM_INTENTS):
        super().__init__()
        self.d_model = d_model
        self.emb = nn.Embedding(vocab, d_model, padding_idx=PAD)
        self.pos = PositionalEncoding(d_model)
        layer = nn.TransformerEncoderLayer(d_model, nhead, dim_feedforward=128, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=nlayers, enable_nested_tensor=False)
        self.cls = nn.Sequential(nn.LayerNorm(d_model), nn.Linear(d_model, n_cls))

    def forward(self, tokens):
        pad_mask = tokens.eq(PAD)
        h = self.pos(self.emb(tokens) * math.sqrt(self.d_model))
        h = self.encoder(h, src_key_padding_mask=pad_mask)
        keep = (~pad_mask).unsqueeze(-1).float()
        pooled = (h * keep).sum(1) / keep.sum(1).clamp(min=1)
        return self.cls(pooled)


def make_data(n):
    out = []
    for _ in range(n):
        L = random.randint(4, 18)
        out.append(([random.randint(1, VOCAB_SIZE - 1) for _ in range(L)], random.randrange(NUM_INTENTS)))
    return out


def collate_fn(samples):
    m = max(len(s) for s, _ in samples)
    x = torch.full((len(samples), m), PAD, dtype=torch.long)
    for i, (s, _) in enumerate(samples):
        x[i, :len(s)] = torch.tensor(s)
    return x, torch.tensor([l for _, l in samples])


def run_epoch(model, dl, opt=None):
    model.train(opt is not None)
    tot = n = 0
    with torch.set_grad_enabled(opt is not None):
        for x, y in dl:
            loss = nn.functional.cross_entropy(model(x), y)
            if opt is not None:
                opt.zero_grad()
                loss.backward()
                opt.step()
            tot += loss.item() * len(y)
            n += len(y)
    return tot / n


train_dl = DataLoader(make_data(160), batch_size=32, shuffle=True, collate_fn=collate_fn)
dev_dl = DataLoader(make_data(50), batch_size=32, collate_fn=collate_fn)
model = IntentClassifier(VOCAB_SIZE)
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for e in range(2):
    print(e, run_epoch(model, train_dl, opt), run_epoch(model, dev_dl))
