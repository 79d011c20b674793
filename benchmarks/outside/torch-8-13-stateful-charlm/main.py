# char-level language model, hidden state carried from batch to batch (truncated BPTT)
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(1)

SEQ_LEN = 20
BATCH = 16
HID = 48

alphabet = 'abcdefghijklmnopqrstuvwxyz ,.\n'
itos = list(alphabet)
stoi = {c: i for i, c in enumerate(itos)}
text = ''.join(itos[i] for i in torch.randint(len(itos), (1100,)))


class Windows(Dataset):
    """non-overlapping windows; target is the window moved by one"""

    def __init__(self, s):
        self.ids = torch.tensor([stoi[c] for c in s])

    def __len__(self):
        return (len(self.ids) - 1) // SEQ_LEN

    def __getitem__(self, k):
        a = k * SEQ_LEN
        return self.ids[a:a + SEQ_LEN], self.ids[a + 1:a + SEQ_LEN + 1]


class CharLM(nn.Module):
    def __init__(self, vocab, emb=24, hid=HID, layers=2):
        super().__init__()
        self.layers, self.hid = layers, hid
        self.emb = nn.Embedding(vocab, emb)
        self.rnn = nn.LSTM(emb, hid, layers, batch_first=True, dropout=0.1)
        self.out = nn.Linear(hid, vocab)

    def zero_state(self, n):
        z = torch.zeros(self.layers, n, self.hid)
        return z, z.clone()

    def forward(self, x, state):
        h, state = self.rnn(self.emb(x), state)
        return self.out(h), state


def detach(state):
    return tuple(s.detach() for s in state)


@torch.no_grad()
def sample(model, prime='the ', n=40):
    model.eval()
    state = model.zero_state(1)
    ids = torch.tensor([[stoi[c] for c in prime]])
    res = prime
    for _ in range(n):
        logits, state = model(ids, state)
        p = torch.softmax(logits[0, -1] / 0.8, dim=0)
        ids = torch.multinomial(p, 1).view(1, 1)
        res += itos[ids.item()]
    return res


dataset = Windows(text)
loader = DataLoader(dataset, batch_size=BATCH, shuffle=False)
print(len(dataset), 'windows,', len(loader), 'batches')

lm = CharLM(len(itos))
opt = torch.optim.Adam(lm.parameters(), lr=3e-3)
ce = nn.CrossEntropyLoss()

for epoch in range(2):
    lm.train()
    state = lm.zero_state(BATCH)
    tot = 0.
    for x, y in loader:
        state = detach(state)
        logits, state = lm(x, state)
        loss = ce(logits.reshape(-1, logits.size(-1)), y.reshape(-1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(lm.parameters(), 0.5)
        opt.step()
        tot += loss.item()
    print('epoch', epoch, 'loss', tot / len(loader))

print(repr(sample(lm)))
