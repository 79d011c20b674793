# WRN-d-k on a CIFAR-sized toy set, after Zagoruyko & Komodakis (2016)
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

p = argparse.ArgumentParser()
p.add_argument('--depth', type=int, default=10)
p.add_argument('--k', type=int, default=2, help='widening factor')
p.add_argument('--drop', type=float, default=0.1)
p.add_argument('--lr', type=float, default=0.1)
p.add_argument('--bs', type=int, default=8)
p.add_argument('--steps', type=int, default=2)
p.add_argument('--seed', type=int, default=3)
args = p.parse_args()

torch.manual_seed(args.seed)


class Block(nn.Module):
    """BN-ReLU-conv, twice"""

    def __init__(self, ni, no, s, drop):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(ni)
        self.c1 = nn.Conv2d(ni, no, 3, stride=s, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(no)
        self.c2 = nn.Conv2d(no, no, 3, padding=1, bias=False)
        self.drop = drop
        self.same = s == 1
        self.sc = None if self.same else nn.Conv2d(ni, no, 1, stride=s, bias=False)

    def forward(self, x):
        o = F.relu(self.bn1(x))
        r = x if self.same else self.sc(o)
        o = self.c1(o)
        o = F.dropout(F.relu(self.bn2(o)), self.drop, self.training)
        return self.c2(o) + r


class WRN(nn.Module):
    def __init__(self, depth, k, drop, nc=10):
        super().__init__()
        assert (depth - 4) % 6 == 0
        n = (depth - 4) // 6
        w = [16, 16 * k, 32 * k, 64 * k]
        self.c0 = nn.Conv2d(3, w[0], 3, padding=1, bias=False)
        self.g1 = self.group(n, w[0], w[1], 1, drop)
        self.g2 = self.group(n, w[1], w[2], 2, drop)
        self.g3 = self.group(n, w[2], w[3], 2, drop)
        self.bn = nn.BatchNorm2d(w[3])
        self.fc = nn.Linear(w[3], nc)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode='fan_out', nonlinearity='relu')

    @staticmethod
    def group(n, ni, no, s, drop):
        return nn.Sequential(*[
            Block(ni if i == 0 else no, no, s if i == 0 else 1, drop) for i in range(n)
        ])

    def forward(self, x):
        x = self.g3(self.g2(self.g1(self.c0(x))))
        x = F.relu(self.bn(x))
        x = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.fc(x)


X = torch.randn(args.bs * args.steps, 3, 32, 32)
Y = torch.randint(0, 10, (args.bs * args.steps,))
dl = DataLoader(TensorDataset(X, Y), batch_size=args.bs, shuffle=True)

net = WRN(args.depth, args.k, args.drop)
print(f'WRN-{args.depth}-{args.k}: {sum(q.numel() for q in net.parameters()) / 1e6:.2f}M')
opt = torch.optim.SGD(net.parameters(), lr=args.lr, momentum=0.9, weight_decay=5e-4, nesterov=True)

net.train()
for i, (x, y) in enumerate(dl):
    loss = F.cross_entropy(net(x), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    print(i, f'{loss.item():.4f}')

net.eval()
with torch.no_grad():
    acc = (net(X[:16]).argmax(1) == Y[:16]).float().mean()
print('train acc', acc.item())
