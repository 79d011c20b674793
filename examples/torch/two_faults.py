"""A model with two faults that have nothing to do with each other; a run shows only the first.

`shapewatch check examples/torch/two_faults.py:Net --input 2x3x32x32` reports both at once: it goes
on past the first with a repair put in place on shapes alone.

Fault: `block2.conv2` gives 24 channels where its skip has 32, and further on `head` expects 64
features where the pooled map has 32.
"""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels, channels_out):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels_out, 3, padding=1)

    def forward(self, x):
        return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, stride=2, padding=1)
        self.block1 = Block(32, 32)
        self.block2 = Block(32, 24)
        self.block3 = Block(32, 32)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.stem(x))))
        return self.head(self.pool(x).flatten(1))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
