import random
import torch
from torch import nn, optim
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, DataLoader

ALPHABET = "_abcdefghijklmnopqrstuvwxyz '"
NUM_FEATS = 26


class Utterances(Dataset):
    def __init__(self, size, seed):
        rnd = random.Random(seed)
        self.data = []
        for _ in range(size):
            words = ''.join(rnd.choice(ALPHABET[1:]) for _ in range(rnd.randint(4, 10)))
            frames = rnd.randint(60, 110)
            self.data.append((torch.randn(frames, NUM_FEATS), words))

    def __getitem__(self, idx):
        feats, text = self.data[idx]
        target = torch.tensor([ALPHABET.index(c) for c in text])
        return feats, target, feats.shape[0] // 2, len(target)

    def __len__(self):
        return len(self.data)


def pad_collate(batch):
    feats, targets, in_lens, tgt_lens = zip(*batch)
    return (pad_sequence(feats, batch_first=True),
            pad_sequence(targets, batch_first=True),
            torch.tensor(in_lens), torch.tensor(tgt_lens))


class DeepSpeechLite(nn.Module):
    def __init__(self, n_feats, hidden, n_tokens):
        super().__init__()
        self.sub = nn.Conv1d(n_feats, hidden, kernel_size=3, stride=2, padding=1)
        self.rnn = nn.GRU(hidden, hidden, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(2 * hidden, n_tokens)

    def forward(self, x):
        x = torch.relu(self.sub(x.transpose(1, 2))).transpose(1, 2)
        x, _ = self.rnn(x)
        return self.fc(x).log_softmax(dim=-1)


def train_epoch(model, loader, criterion, optimizer):
    model.train()
    for step, (feats, targets, in_lens, tgt_lens) in enumerate(loader):
        logp = model(feats).transpose(0, 1)
        loss = criterion(logp, targets, in_lens, tgt_lens)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


def validate(model, loader, criterion):
    model.eval()
    total = 0.0
    with torch.no_grad():
        for feats, targets, in_lens, tgt_lens in loader:
            logp = model(feats).transpose(0, 1)
            total += criterion(logp, targets, in_lens, tgt_lens).item()
    return total / len(loader)


def main():
    torch.manual_seed(0)
    kwargs = dict(batch_size=8, num_workers=0)
    train_loader = DataLoader(Utterances(40, 1), shuffle=True, collate_fn=pad_collate, **kwargs)
    val_loader = DataLoader(Utterances(16, 2), shuffle=False, **kwargs)

    model = DeepSpeechLite(NUM_FEATS, 48, len(ALPHABET))
    criterion = nn.CTCLoss(blank=0, zero_infinity=True)
    optimizer = optim.AdamW(model.parameters(), lr=1e-3)
    for epoch in range(2):
        tr = train_epoch(model, train_loader, criterion, optimizer)
        va = validate(model, val_loader, criterion)
        print(f"epoch {epoch}: train {tr:.3f} valid {va:.3f}")


if __name__ == "__main__":
    main()
