"""Four residual blocks of 32 channels, one of which gives 48.

Height and width agree everywhere; only the channels part.

Fault: `blocks.2.conv2` gives 48 channels where the skip, the other blocks and the classifier have
32: [4, 48, 16, 16] meets [4, 32, 16, 16].
"""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels, hidden, channels_out):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, hidden, 3, padding=1)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(hidden, channels_out, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(self.relu(self.conv1(x)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 32, 3, padding=1)
        self.blocks = nn.Sequential(
            Block(32, 64, 32),
            Block(32, 64, 32),
            Block(32, 64, 48),
            Block(32, 64, 32),
        )
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.blocks(self.stem(x))
        return self.head(x.mean(dim=(2, 3)))


if __name__ == "__main__":
    torch.manual_seed(0)
    digits = torch.randn(4, 1, 16, 16)
    print("input", tuple(digits.shape))
    print("output", tuple(Net()(digits).shape))
