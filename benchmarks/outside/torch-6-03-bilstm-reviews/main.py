import random
import torch
import torch.nn as nn
from torch.nn.utils.rnn import pad_sequence, pack_padded_sequence, pad_packed_sequence
from torch.utils.data import Dataset, DataLoader

random.seed(1)
torch.manual_seed(1)

VOCAB = 500
EMBED_DIM = 32
HIDDEN_DIM = 48
N_LAYERS = 2
OUTPUT_DIM = 1
PAD_IDX = 0


class ReviewDataset(Dataset):
    def __init__(self, n):
        self.items = []
        for _ in range(n):
            length = random.randint(5, 40)
            toks = torch.randint(1, VOCAB, (length,))
            self.items.append((toks, float(random.random() > 0.5)))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    batch.sort(key=lambda b: len(b[0]), reverse=True)
    seqs = [b[0] for b in batch]
    lens = torch.tensor([len(s) for s in seqs])
    labels = torch.tensor([b[1] for b in batch])
    return pad_sequence(seqs, batch_first=True, padding_value=PAD_IDX), lens, labels


class SentimentRNN(nn.Module):
    def __init__(self, vocab_size, embedding_dim, hidden_dim, output_dim, n_layers,
                 bidirectional, dropout, pad_idx):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=pad_idx)
        self.rnn = nn.LSTM(embedding_dim, hidden_dim, num_layers=n_layers,
                           bidirectional=bidirectional, dropout=dropout, batch_first=True)
        self.fc = nn.Linear(hidden_dim, output_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, text, text_lengths):
        embedded = self.dropout(self.embedding(text))
        packed = pack_padded_sequence(embedded, text_lengths, batch_first=True)
        packed_out, (hidden, cell) = self.rnn(packed)
        output, _ = pad_packed_sequence(packed_out, batch_first=True)
        # concat the final forward and backward hidden states
        hidden = self.dropout(torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1))
        return self.fc(hidden)


def binary_accuracy(preds, y):
    rounded = torch.round(torch.sigmoid(preds))
    return (rounded == y).float().mean()


model = SentimentRNN(VOCAB, EMBED_DIM, HIDDEN_DIM, OUTPUT_DIM, N_LAYERS, True, 0.5, PAD_IDX)
print(f'The model has {sum(p.numel() for p in model.parameters()):,} trainable parameters')

optimizer = torch.optim.Adam(model.parameters())
criterion = nn.BCEWithLogitsLoss()
train_iter = DataLoader(ReviewDataset(120), batch_size=24, shuffle=True, collate_fn=collate)
valid_iter = DataLoader(ReviewDataset(48), batch_size=24, collate_fn=collate)

for epoch in range(2):
    model.train()
    eloss = eacc = 0
    for text, lens, label in train_iter:
        optimizer.zero_grad()
        predictions = model(text, lens).squeeze(1)
        loss = criterion(predictions, label)
        loss.backward()
        optimizer.step()
        eloss += loss.item()
        eacc += binary_accuracy(predictions, label).item()
    print(f'Epoch {epoch}: loss {eloss/len(train_iter):.3f} acc {eacc/len(train_iter):.2f}')
    model.eval()
    with torch.no_grad():
        va = sum(binary_accuracy(model(t, l).squeeze(1), y).item() for t, l, y in valid_iter)
    print(f'   val acc {va/len(valid_iter):.2f}')
