import torch
from torch import nn, optim
from torch.utils.data import TensorDataset, DataLoader, random_split

# 12-lead ECG, 5 superclasses (PTB-XL style)
N_LEADS = 12
SIG_LEN = 500
N_CLASSES = 5


def conv_bn(i, o, k=7, s=1):
    return nn.Sequential(nn.Conv1d(i, o, k, stride=s, padding=k // 2, bias=False), nn.BatchNorm1d(o))


class ResBlock1d(nn.Module):
    def __init__(self, inplanes, planes, stride=1, dropout=0.2):
        super().__init__()
        self.c1 = conv_bn(inplanes, planes, s=stride)
        self.c2 = conv_bn(planes, planes)
        self.relu = nn.ReLU()
        self.drop = nn.Dropout(dropout)
        if inplanes != planes:
            self.shortcut = conv_bn(inplanes, planes, k=1, s=stride)
        else:
            self.shortcut = nn.Identity()

    def forward(self, x):
        res = self.shortcut(x)
        out = self.relu(self.c1(x))
        out = self.drop(out)
        out = self.c2(out)
        out += res
        return self.relu(out)


class ECGNet(nn.Module):
    def __init__(self, layers=((32, 1), (64, 2), (64, 2), (128, 2)), n_classes=N_CLASSES):
        super().__init__()
        self.stem = nn.Sequential(conv_bn(N_LEADS, 32, k=15, s=2), nn.ReLU(), nn.MaxPool1d(2))
        blocks = []
        prev = 32
        for planes, stride in layers:
            blocks.append(ResBlock1d(prev, planes, stride))
            prev = planes
        self.blocks = nn.Sequential(*blocks)
        self.gap = nn.AdaptiveAvgPool1d(1)
        self.fc = nn.Linear(prev, n_classes)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        x = self.gap(x).squeeze(-1)
        return self.fc(x)


def accuracy(logits, y):
    return ((logits.sigmoid() > 0.5) == (y > 0.5)).float().mean().item()


def run_epoch(model, loader, criterion, optimizer=None):
    model.train(optimizer is not None)
    tot, acc = 0.0, 0.0
    with torch.set_grad_enabled(optimizer is not None):
        for sig, lab in loader:
            logits = model(sig)
            loss = criterion(logits, lab)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            tot += loss.item()
            acc += accuracy(logits, lab)
    return tot / len(loader), acc / len(loader)


def main():
    torch.manual_seed(42)
    sigs = torch.randn(96, N_LEADS, SIG_LEN)
    labs = (torch.rand(96, N_CLASSES) > 0.7).float()
    train, val = random_split(TensorDataset(sigs, labs), [64, 32])
    train_dl = DataLoader(train, batch_size=16, shuffle=True)
    val_dl = DataLoader(val, batch_size=16)

    model = ECGNet()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = optim.AdamW(model.parameters(), lr=3e-4)
    for ep in range(2):
        tr = run_epoch(model, train_dl, criterion, optimizer)
        va = run_epoch(model, val_dl, criterion)
        print(f"[{ep}] train {tr[0]:.3f}/{tr[1]:.3f}  val {va[0]:.3f}/{va[1]:.3f}")


if __name__ == "__main__":
    main()
