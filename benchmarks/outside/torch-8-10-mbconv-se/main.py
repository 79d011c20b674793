"""Mobile net with squeeze-and-excitation, driven by a table (t, c, n, s, k, se)."""
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

TABLE = [
    # t  c   n  s  k  se
    [1, 16, 1, 1, 3, 0.25],
    [4, 24, 2, 2, 3, 0.25],
    [4, 40, 2, 2, 5, 0.25],
    [6, 64, 1, 2, 3, 0.25],
]


def make_divisible(v, d=8):
    new = max(d, int(v + d / 2) // d * d)
    return new + d if new < 0.9 * v else new


class ConvBNAct(nn.Sequential):
    def __init__(self, inp, oup, k=3, s=1, groups=1, act=nn.SiLU):
        layers = [nn.Conv2d(inp, oup, k, s, (k - 1) // 2, groups=groups, bias=False),
                  nn.BatchNorm2d(oup)]
        if act is not None:
            layers.append(act())
        super().__init__(*layers)


class SqueezeExcite(nn.Module):
    def __init__(self, ch, squeezed):
        super().__init__()
        self.fc1 = nn.Linear(ch, squeezed)
        self.fc2 = nn.Linear(squeezed, ch)
        self.act = nn.SiLU()

    def forward(self, x):
        s = x.mean((2, 3))
        s = torch.sigmoid(self.fc2(self.act(self.fc1(s))))
        return x * s[:, :, None, None]


class MBConv(nn.Module):
    def __init__(self, inp, oup, t, k, s, se_ratio, survival=1.0):
        super().__init__()
        hidden = inp * t
        self.use_res = s == 1 and inp == oup
        self.survival = survival

        layers = []
        if t != 1:
            layers.append(ConvBNAct(inp, hidden, k=1))
        layers.append(ConvBNAct(hidden, hidden, k=k, s=s, groups=hidden))
        if se_ratio:
            layers.append(SqueezeExcite(inp, max(1, int(inp * se_ratio))))
        layers.append(ConvBNAct(hidden, oup, k=1, act=None))
        self.layers = nn.Sequential(*layers)

    def drop_path(self, y):
        if not self.training or self.survival == 1.0:
            return y
        keep = (torch.rand(y.size(0), 1, 1, 1) < self.survival).to(y.dtype)
        return y / self.survival * keep

    def forward(self, x):
        y = self.layers(x)
        return x + self.drop_path(y) if self.use_res else y


class MobileSE(nn.Module):
    def __init__(self, num_classes, width=1.0, drop_path=0.2):
        super().__init__()
        ch = make_divisible(16 * width)
        self.stem = ConvBNAct(3, ch, s=2)
        total = sum(row[2] for row in TABLE)
        done, blocks = 0, []
        for t, c, n, s, k, se in TABLE:
            out = make_divisible(c * width)
            for i in range(n):
                survival = 1.0 - drop_path * done / total
                blocks.append(MBConv(ch, out, t, k, s if i == 0 else 1, se, survival))
                ch = out
                done += 1
        self.blocks = nn.Sequential(*blocks)
        self.tail = ConvBNAct(ch, 4 * ch, k=1)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(4 * ch, num_classes))

    def forward(self, x):
        x = self.tail(self.blocks(self.stem(x)))
        return self.classifier(x.mean((2, 3)))


def accuracy(logits, y):
    return (logits.argmax(dim=1) == y).float().mean().item()


if __name__ == "__main__":
    torch.manual_seed(2024)
    train = TensorDataset(torch.randn(24, 3, 64, 64), torch.randint(0, 20, (24,)))
    loader = DataLoader(train, batch_size=8, shuffle=True)

    model = MobileSE(num_classes=20)
    optimizer = optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)

    model.train()
    for step, (xb, yb) in enumerate(loader):
        logits = model(xb)
        loss = loss_fn(logits, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss={loss.item():.3f} acc={accuracy(logits, yb):.2f}")
