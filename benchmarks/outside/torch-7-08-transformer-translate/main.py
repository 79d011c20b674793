import math

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

PAD, BOS, EOS = 0, 1, 2
SRC_VOCAB, TGT_VOCAB = 120, 140


class Pairs(Dataset):
    def __init__(self, n=64):
        g = torch.Generator().manual_seed(3)
        self.items = []
        for _ in range(n):
            ls = int(torch.randint(5, 14, (1,), generator=g))
            lt = int(torch.randint(5, 14, (1,), generator=g))
            src = torch.randint(3, SRC_VOCAB, (ls,), generator=g)
            tgt = torch.randint(3, TGT_VOCAB, (lt,), generator=g)
            self.items.append((src, torch.cat([torch.tensor([BOS]), tgt, torch.tensor([EOS])])))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    src, tgt = zip(*batch)
    return (
        pad_sequence(src, batch_first=True, padding_value=PAD),
        pad_sequence(tgt, batch_first=True, padding_value=PAD),
    )


def causal_mask(size):
    return torch.triu(torch.ones(size, size, dtype=torch.bool), diagonal=1)


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=200):
        super().__init__()
        pos = torch.arange(max_len).unsqueeze(1)
        div = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(1, max_len, d_model)
        pe[0, :, 0::2] = torch.sin(pos * div)
        pe[0, :, 1::2] = torch.cos(pos * div)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]


class Translator(nn.Module):
    def __init__(self, d_model=48, nhead=4, layers=2):
        super().__init__()
        self.d_model = d_model
        self.src_emb = nn.Embedding(SRC_VOCAB, d_model, padding_idx=PAD)
        self.tgt_emb = nn.Embedding(TGT_VOCAB, d_model, padding_idx=PAD)
        self.pos = PositionalEncoding(d_model)
        self.transformer = nn.Transformer(
            d_model, nhead, layers, layers, dim_feedforward=96, batch_first=True
        )
        self.out = nn.Linear(d_model, TGT_VOCAB)

    def forward(self, src, tgt, tgt_mask):
        s = self.pos(self.src_emb(src) * math.sqrt(self.d_model))
        t = self.pos(self.tgt_emb(tgt) * math.sqrt(self.d_model))
        h = self.transformer(
            s,
            t,
            tgt_mask=tgt_mask,
            src_key_padding_mask=src == PAD,
            tgt_key_padding_mask=tgt == PAD,
            memory_key_padding_mask=src == PAD,
        )
        return self.out(h)


def train_epoch(model, loader, opt, loss_fn):
    model.train()
    losses = []
    for src, tgt in loader:
        tgt_in, tgt_out = tgt[:, :-1], tgt[:, 1:]
        tgt_mask = causal_mask(tgt.size(1))
        logits = model(src, tgt_in, tgt_mask)
        loss = loss_fn(logits.reshape(-1, TGT_VOCAB), tgt_out.reshape(-1))
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


@torch.no_grad()
def greedy_decode(model, src, max_len=12):
    model.eval()
    ys = torch.full((src.size(0), 1), BOS)
    for _ in range(max_len):
        logits = model(src, ys, causal_mask(ys.size(1)))
        ys = torch.cat([ys, logits[:, -1].argmax(-1, keepdim=True)], dim=1)
    return ys


def main():
    torch.manual_seed(0)
    loader = DataLoader(Pairs(), batch_size=16, shuffle=True, collate_fn=collate)
    model = Translator()
    opt = torch.optim.Adam(model.parameters(), lr=5e-4)
    loss_fn = nn.CrossEntropyLoss(ignore_index=PAD)
    for epoch in range(2):
        print("epoch", epoch, "loss", train_epoch(model, loader, opt, loss_fn))
    src, _ = next(iter(loader))
    print(greedy_decode(model, src[:3]))


if __name__ == "__main__":
    main()
