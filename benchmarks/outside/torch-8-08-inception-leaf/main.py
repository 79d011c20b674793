import time
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(99)
start = time.time()


def conv(cin, cout, **kw):
    return nn.Sequential(OrderedDict(
        conv=nn.Conv2d(cin, cout, bias=False, **kw),
        bn=nn.BatchNorm2d(cout, eps=1e-3),
        act=nn.ReLU(inplace=True),
    ))


class Branches(nn.Module):
    """Runs every branch on the same input, joins on channels."""

    def __init__(self, **branches):
        super().__init__()
        for name, b in branches.items():
            self.add_module(name, b)

    def forward(self, x):
        return torch.cat([b(x) for b in self.children()], dim=1)


def inception_a(cin, pool_features):
    return Branches(
        b1x1=conv(cin, 16, kernel_size=1),
        b5x5=nn.Sequential(
            conv(cin, 12, kernel_size=1),
            conv(12, 16, kernel_size=5, padding=2),
        ),
        b3x3dbl=nn.Sequential(
            conv(cin, 16, kernel_size=1),
            conv(16, 24, kernel_size=3, padding=1),
            conv(24, 24, kernel_size=3, padding=1),
        ),
        bpool=nn.Sequential(
            nn.AvgPool2d(kernel_size=3, stride=1, padding=1),
            conv(cin, pool_features, kernel_size=1),
        ),
    )


def reduction_a(cin):
    return Branches(
        b3x3=conv(cin, 48, kernel_size=3, stride=2),
        b3x3dbl=nn.Sequential(
            conv(cin, 16, kernel_size=1),
            conv(16, 24, kernel_size=3, padding=1),
            conv(24, 24, kernel_size=3, stride=2, padding=1),
        ),
        bpool=nn.MaxPool2d(kernel_size=3, stride=2),
    )


def inception_b(cin, c7):
    return Branches(
        b1x1=conv(cin, 32, kernel_size=1),
        b7x7=nn.Sequential(
            conv(cin, c7, kernel_size=1),
            conv(c7, c7, kernel_size=(1, 7), padding=(0, 3)),
            conv(c7, 32, kernel_size=(7, 1), padding=(3, 0)),
        ),
        bpool=nn.Sequential(
            nn.AvgPool2d(kernel_size=3, stride=1, padding=1),
            conv(cin, 32, kernel_size=1),
        ),
    )


model = nn.Sequential(OrderedDict([
    ('stem1', conv(3, 16, kernel_size=3, stride=2)),
    ('stem2', conv(16, 24, kernel_size=3, padding=1)),
    ('pool1', nn.MaxPool2d(3, stride=2, padding=1)),
    ('mixed_5b', inception_a(24, pool_features=8)),
    ('mixed_5c', inception_a(64, pool_features=16)),
    ('mixed_6a', reduction_a(72)),
    ('mixed_6b', inception_b(144, c7=20)),
    ('mixed_6c', inception_b(96, c7=24)),
    ('gap', nn.AdaptiveAvgPool2d(1)),
    ('flat', nn.Flatten()),
    ('drop', nn.Dropout(0.3)),
    ('fc', nn.Linear(96, 15)),
]))

print(sum(p.numel() for p in model.parameters()), 'parameters')

leaves = torch.rand(12, 3, 75, 75)
species = torch.randint(0, 15, (12,))

criterion = nn.CrossEntropyLoss()
optimizer = optim.RMSprop(model.parameters(), lr=0.0045, eps=1.0, alpha=0.9)

model.train()
for epoch in range(2):
    perm = torch.randperm(len(leaves))
    running = 0.0
    for chunk in perm.split(6):
        optimizer.zero_grad()
        loss = criterion(model(leaves[chunk]), species[chunk])
        loss.backward()
        optimizer.step()
        running += loss.item() * len(chunk)
    print('epoch %d loss %.4f' % (epoch + 1, running / len(leaves)))

print('done in %.1fs' % (time.time() - start))
