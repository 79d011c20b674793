"""Three branches set side by side, then a 1 x 1 convolution that counts one of them wrongly.

Fault: the branches give 16, 24 and 8 channels, 48 together, and `fuse` expects 40. Each branch ends
in a norm that agrees with its convolution, so it is `fuse` that is wrong.
"""

import torch
from torch import nn


def branch(channels_in, channels, kernel_size):
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, kernel_size, padding=kernel_size // 2),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
    )


class Inception(nn.Module):
    def __init__(self, channels_in):
        super().__init__()
        self.narrow = branch(channels_in, 16, 1)
        self.middle = branch(channels_in, 24, 3)
        self.wide = branch(channels_in, 8, 5)
        self.fuse = nn.Conv2d(40, 32, 1)

    def forward(self, x):
        together = torch.cat([self.narrow(x), self.middle(x), self.wide(x)], dim=1)
        return torch.relu(self.fuse(together))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, stride=2, padding=1)
        self.inception = Inception(12)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = self.inception(self.stem(x))
        return self.head(x.mean(dim=(2, 3)))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
