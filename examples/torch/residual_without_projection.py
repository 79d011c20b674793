"""One residual block with a stride of 2, and a plain `out + x` around it.

Fault: the block halves height and width on its main branch, and its skip hands the input through
unchanged: [2, 16, 16, 16] meets [2, 16, 32, 32]. Taking the stride away would make the addition fit
and break the classifier behind it, which counts on 16 x 16 positions; the skip needs a projection
with a stride of 2.
"""

import torch
from torch import nn


class ResidualBlock(nn.Module):
    def __init__(self, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        out = torch.relu(self.conv1(x))
        out = self.conv2(out)
        return torch.relu(out + x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.block1 = ResidualBlock(16, stride=1)
        self.block2 = ResidualBlock(16, stride=2)
        self.head = nn.Linear(16 * 16 * 16, 10)

    def forward(self, x):
        x = self.block2(self.block1(self.stem(x)))
        return self.head(torch.flatten(x, 1))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
