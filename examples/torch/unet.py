"""A healthy U-Net: 64 rows and columns halve twice without a rest, so every skip meets its size again.

The same model as in `unet_odd_input.py`, with an input that suits it.
"""

import torch
from torch import nn


def double_conv(channels_in, channels):
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.ReLU(),
    )


class UNet(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.encode1 = double_conv(1, 8)
        self.pool1 = nn.MaxPool2d(2)
        self.encode2 = double_conv(8, 16)
        self.pool2 = nn.MaxPool2d(2)
        self.bottom = double_conv(16, 32)
        self.up2 = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.decode2 = double_conv(32, 16)
        self.up1 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.decode1 = double_conv(16, 8)
        self.classify = nn.Conv2d(8, classes, 1)

    def forward(self, x):
        fine = self.encode1(x)
        coarse = self.encode2(self.pool1(fine))
        x = self.up2(self.bottom(self.pool2(coarse)))
        x = self.decode2(torch.cat([coarse, x], dim=1))
        x = self.up1(x)
        x = self.decode1(torch.cat([fine, x], dim=1))
        return self.classify(x)


if __name__ == "__main__":
    torch.manual_seed(0)
    scans = torch.randn(1, 1, 64, 64)
    print("input", tuple(scans.shape))
    print("output", tuple(UNet()(scans).shape))
