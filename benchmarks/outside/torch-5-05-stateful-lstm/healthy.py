# Household power forecasting with an LSTM that carries its state across batches
import math
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

seq_length = 24
batch_size = 32
hidden_dim = 48
n_layers = 2
num_epochs = 2

np.random.seed(0)
torch.manual_seed(0)


def load_series(n=800):
    t = np.arange(n)
    power = 1.5 + np.sin(2 * math.pi * t / 24) + 0.1 * np.random.randn(n)
    temp = 15 + 8 * np.sin(2 * math.pi * t / (24 * 7)) + np.random.randn(n)
    data = np.stack([power, temp], axis=1).astype(np.float32)
    return (data - data.mean(0)) / data.std(0)


def sliding_windows(data, seq_length):
    xs, ys = [], []
    for i in range(len(data) - seq_length):
        xs.append(data[i:i + seq_length])
        ys.append(data[i + seq_length, :1])
    return np.array(xs), np.array(ys)


class PowerLSTM(nn.Module):
    def __init__(self, n_features, hidden_dim, n_layers):
        super().__init__()
        self.hidden_dim = hidden_dim
        self.n_layers = n_layers
        self.lstm = nn.LSTM(n_features, hidden_dim, n_layers, batch_first=True, dropout=0.1)
        self.linear = nn.Linear(hidden_dim, 1)

    def init_hidden(self, batch_size):
        weight = next(self.parameters()).data
        return (weight.new_zeros(self.n_layers, batch_size, self.hidden_dim),
                weight.new_zeros(self.n_layers, batch_size, self.hidden_dim))

    def forward(self, x, hidden):
        out, hidden = self.lstm(x, hidden)
        return self.linear(out[:, -1]), hidden


data = load_series()
X, y = sliding_windows(data, seq_length)
split = int(0.8 * len(X))
train_ds = TensorDataset(torch.from_numpy(X[:split]), torch.from_numpy(y[:split]))
test_ds = TensorDataset(torch.from_numpy(X[split:]), torch.from_numpy(y[split:]))
train_loader = DataLoader(train_ds, batch_size=batch_size, shuffle=False, drop_last=True)
test_loader = DataLoader(test_ds, batch_size=batch_size, shuffle=False, drop_last=True)

model = PowerLSTM(X.shape[-1], hidden_dim, n_layers)
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(num_epochs):
    model.train()
    h = model.init_hidden(batch_size)
    losses = []
    for inputs, labels in train_loader:
        h = tuple(e.detach() for e in h)
        output, h = model(inputs, h)
        loss = criterion(output, labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())

    model.eval()
    val_h = model.init_hidden(batch_size)
    with torch.no_grad():
        val = []
        for inputs, labels in test_loader:
            output, val_h = model(inputs, val_h)
            val.append(criterion(output, labels).item())
    print("epoch %d train %.4f val %.4f" % (epoch, np.mean(losses), np.mean(val)))
