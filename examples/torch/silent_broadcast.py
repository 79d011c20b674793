"""Two residual blocks that run without an error, one of which adds the same number to all 16 channels.

Fault: `block2.project` gives 1 channel instead of 16. [2, 1, 16, 16] added to [2, 16, 16, 16]
broadcasts: the program runs and trains, and the skip carries a sixteenth of what it should.
"""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, channels_in, channels, skip_channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.project = nn.Conv2d(channels_in, skip_channels, 1, stride=2)

    def forward(self, x):
        main = self.conv2(torch.relu(self.conv1(x)))
        skip = self.project(x)
        return torch.relu(main + skip)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = Block(3, 8, skip_channels=8)
        self.block2 = Block(8, 16, skip_channels=1)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.block2(self.block1(x))
        return self.head(x.mean(dim=(2, 3)))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 64, 64)
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
