"""A pre-activation network whose strided block has a shortcut that widens, and does not shrink.

In this kind of block norm and activation come before each convolution, and the shortcut branches
off after the first of them.

Fault: `block2.shortcut` takes 16 channels to 32 and keeps 32 x 32 positions, while `conv1` beside
it has a stride of 2. The classifier counts on 16 x 16 positions, so the shortcut is to be strided,
and `conv1` is right.
"""

import torch
from torch import nn


class PreActivationBlock(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, bias=False)

    def forward(self, x):
        activated = torch.relu(self.norm1(x))
        skip = self.shortcut(activated)
        out = self.conv1(activated)
        out = self.conv2(torch.relu(self.norm2(out)))
        return out + skip


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.block1 = PreActivationBlock(16, 16, stride=1)
        self.block2 = PreActivationBlock(16, 32, stride=2)
        self.head = nn.Linear(32 * 16 * 16, 10)

    def forward(self, x):
        x = self.block2(self.block1(self.stem(x)))
        return self.head(torch.relu(x).flatten(1))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
