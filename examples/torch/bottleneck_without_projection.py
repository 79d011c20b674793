"""Two bottleneck blocks that give four times the channels they compute with, and a skip that never widens.

A bottleneck narrows with a 1 x 1 convolution, works with a 3 x 3 one and widens again by its
expansion of 4. The second block gets 64 channels and gives 64, so its input can be added back as it
is.

Fault: the first block gets 16 channels and gives 64, and has no projection either: [2, 64, 16, 16]
meets [2, 16, 16, 16].
"""

import torch
from torch import nn


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, channels_in, channels, projection=None):
        super().__init__()
        channels_out = channels * self.expansion
        self.reduce = nn.Conv2d(channels_in, channels, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.expand = nn.Conv2d(channels, channels_out, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(channels_out)
        self.projection = projection

    def forward(self, x):
        out = torch.relu(self.norm1(self.reduce(x)))
        out = torch.relu(self.norm2(self.conv(out)))
        out = self.norm3(self.expand(out))
        skip = x if self.projection is None else self.projection(x)
        return torch.relu(out + skip)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(Bottleneck(16, 16), Bottleneck(64, 16))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.head(self.pool(x).flatten(1))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
