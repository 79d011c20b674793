# coding: utf-8

# %% [markdown]
# DenseNet-BC from scratch. I want to see how the compression factor trades
# accuracy for parameters, so it is in the config.

# %%
import torch
import torch.nn as nn
import torch.nn.functional as F
from collections import OrderedDict

torch.manual_seed(42)

cfg = dict(
    growth=12,
    blocks=(3, 4, 3),
    bn_size=4,
    compression=0.6,
    init_ch=24,
    n_classes=7,
)

# %%
class DenseLayer(nn.Module):
    def __init__(self, cin, growth, bn_size):
        super().__init__()
        mid = bn_size * growth
        self.body = nn.Sequential(OrderedDict([
            ("norm1", nn.BatchNorm2d(cin)),
            ("relu1", nn.ReLU()),
            ("conv1", nn.Conv2d(cin, mid, 1, bias=False)),
            ("norm2", nn.BatchNorm2d(mid)),
            ("relu2", nn.ReLU()),
            ("conv2", nn.Conv2d(mid, growth, 3, padding=1, bias=False)),
        ]))

    def forward(self, feats):
        return self.body(torch.cat(feats, 1))


class DenseBlock(nn.ModuleList):
    def __init__(self, n, cin, growth, bn_size):
        super().__init__()
        for i in range(n):
            self.append(DenseLayer(cin + i * growth, growth, bn_size))

    def forward(self, x):
        feats = [x]
        for layer in self:
            feats.append(layer(feats))
        return torch.cat(feats, 1)


def transition(cin, cout):
    return nn.Sequential(
        nn.BatchNorm2d(cin), nn.ReLU(),
        nn.Conv2d(cin, cout, 1, bias=False),
        nn.AvgPool2d(2),
    )


# %%
class DenseNet(nn.Module):
    def __init__(self, growth, blocks, bn_size, compression, init_ch, n_classes):
        super().__init__()
        self.stem = nn.Conv2d(3, init_ch, 3, padding=1, bias=False)
        feats = nn.Sequential()
        ch = init_ch
        for b, n in enumerate(blocks):
            feats.add_module(f"dense{b + 1}", DenseBlock(n, ch, growth, bn_size))
            ch = ch + n * growth
            if b < len(blocks) - 1:
                feats.add_module(f"trans{b + 1}", transition(ch, int(ch * compression)))
                ch = ch // 2
        feats.add_module("norm", nn.BatchNorm2d(ch))
        self.feats = feats
        self.classifier = nn.Linear(ch, n_classes)
        print("final width:", ch)

    def forward(self, x):
        x = F.relu(self.feats(self.stem(x)))
        x = F.adaptive_avg_pool2d(x, (1, 1))
        return self.classifier(torch.flatten(x, 1))


# %%
def batches(n, bs=6, hw=24):
    for _ in range(n):
        yield torch.rand(bs, 3, hw, hw), torch.randint(cfg["n_classes"], (bs,))


net = DenseNet(**cfg)
print(f"{sum(p.numel() for p in net.parameters()):,} parameters")

# %%
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
history = []
for it, (xb, yb) in enumerate(batches(3)):
    out = net(xb)
    loss = F.cross_entropy(out, yb)
    opt.zero_grad()
    loss.backward()
    opt.step()
    history.append(loss.item())
    print(f"iter {it}: {loss.item():.3f}")

# %%
print("mean loss", sum(history) / len(history))
