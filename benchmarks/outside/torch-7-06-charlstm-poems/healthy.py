import torch
import torch.nn as nn
import torch.nn.functional as F

TEXT = (
    "the woods are lovely dark and deep but i have promises to keep and miles to go before i sleep "
    "two roads diverged in a yellow wood and sorry i could not travel both and be one traveler long i stood "
) * 12

SEQ_LEN = 40
BATCH = 16
EPOCHS = 2

chars = sorted(set(TEXT))
stoi = {c: i for i, c in enumerate(chars)}
itos = {i: c for c, i in stoi.items()}


def encode(s):
    return torch.tensor([stoi[c] for c in s], dtype=torch.long)


def get_batches(data, batch_size, seq_len):
    n = (len(data) - 1) // (batch_size * seq_len) * batch_size * seq_len
    xs = data[:n].view(batch_size, -1)
    ys = data[1 : n + 1].view(batch_size, -1)
    for i in range(0, xs.size(1), seq_len):
        yield xs[:, i : i + seq_len], ys[:, i : i + seq_len]


class CharLSTM(nn.Module):
    def __init__(self, vocab, emb=32, n_hidden=96, n_layers=2, drop=0.2):
        super().__init__()
        self.n_layers = n_layers
        self.n_hidden = n_hidden
        self.embed = nn.Embedding(vocab, emb)
        self.lstm = nn.LSTM(emb, n_hidden, n_layers, dropout=drop, batch_first=True)
        self.drop = nn.Dropout(drop)
        self.fc = nn.Linear(n_hidden, vocab)

    def forward(self, x, hidden):
        out, hidden = self.lstm(self.embed(x), hidden)
        return self.fc(self.drop(out)), hidden

    def init_hidden(self, batch_size):
        weight = next(self.parameters())
        shape = (self.n_layers, batch_size, self.n_hidden)
        return weight.new_zeros(shape), weight.new_zeros(shape)


def train(model, data, lr=2e-3, clip=5):
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    model.train()
    for epoch in range(EPOCHS):
        hidden = model.init_hidden(BATCH)
        total, steps = 0.0, 0
        for x, y in get_batches(data, BATCH, SEQ_LEN):
            hidden = tuple(h.detach() for h in hidden)
            logits, hidden = model(x, hidden)
            loss = F.cross_entropy(logits.reshape(-1, len(chars)), y.reshape(-1))
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), clip)
            opt.step()
            total += loss.item()
            steps += 1
        print(f"epoch {epoch + 1}: loss {total / steps:.3f}")


@torch.no_grad()
def generate(model, prime="the ", length=60, top_k=5):
    model.eval()
    hidden = model.init_hidden(1)
    out = list(prime)
    logits, hidden = model(encode(prime).unsqueeze(0), hidden)
    for _ in range(length):
        values, idx = torch.topk(logits[:, -1], top_k)
        choice = torch.multinomial(F.softmax(values, dim=-1), 1)
        nxt = idx.gather(1, choice)
        out.append(itos[nxt.item()])
        logits, hidden = model(nxt, hidden)
    return "".join(out)


if __name__ == "__main__":
    torch.manual_seed(7)
    data = encode(TEXT)
    net = CharLSTM(len(chars))
    train(net, data)
    print(generate(net, "two roads "))
