# electricity load forecasting, 48h window -> next 6h
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

window = 48
horizon = 6
batch_size = 32
hidden_size = 40
num_layers = 2
device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')

rng = np.random.default_rng(7)
hours = np.arange(24 * 20)
load = np.sin(2 * np.pi * hours / 24) + 0.3 * np.sin(2 * np.pi * hours / 168) + 0.1 * rng.standard_normal(len(hours))
temp = 10 + 5 * np.cos(2 * np.pi * hours / 24) + rng.standard_normal(len(hours))
hod = (hours % 24) / 24.0
data = np.stack([load, temp, hod], axis=1).astype(np.float32)

split = int(len(data) * 0.8)
mu, sd = data[:split].mean(0), data[:split].std(0)
data = (data - mu) / sd


class LoadDataset(Dataset):
    def __init__(self, arr):
        self.arr = torch.from_numpy(arr)

    def __len__(self):
        return len(self.arr) - window - horizon + 1

    def __getitem__(self, i):
        x = self.arr[i:i + window]
        y = self.arr[i + window:i + window + horizon, 0]
        return x, y


class GRUForecaster(nn.Module):
    def __init__(self, n_features, hidden, layers, out):
        super(GRUForecaster, self).__init__()
        self.hidden = hidden
        self.layers = layers
        self.gru = nn.GRU(n_features, hidden, layers, batch_first=True, dropout=0.1)
        self.fc = nn.Linear(hidden, out)

    def init_hidden(self, n):
        return torch.zeros(self.layers, n, self.hidden, device=device)

    def forward(self, x):
        h0 = self.init_hidden(x.size(0))
        out, hn = self.gru(x, h0)
        return self.fc(out[:, -1, :])


train_dl = DataLoader(LoadDataset(data[:split]), batch_size=batch_size, shuffle=True)
test_dl = DataLoader(LoadDataset(data[split:]), batch_size=batch_size, shuffle=False)

model = GRUForecaster(data.shape[1], hidden_size, num_layers, horizon).to(device)
loss_fn = nn.MSELoss()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)

best = float('inf')
for epoch in range(1, 4):
    model.train()
    losses = []
    for xb, yb in train_dl:
        xb, yb = xb.to(device), yb.to(device)
        pred = model(xb)
        loss = loss_fn(pred, yb)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(loss.item())

    model.eval()
    with torch.no_grad():
        val = np.mean([loss_fn(model(xb.to(device)), yb.to(device)).item() for xb, yb in test_dl])
    print('epoch %d train %.4f test %.4f' % (epoch, np.mean(losses), val))
    best = min(best, val)
print('best', best)
