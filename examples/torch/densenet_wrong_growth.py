"""A dense block whose layers each add 32 channels to what came before, except one that adds 24.

Every layer gets all features made so far: 64, then 96, 128, 160 channels, and 192 after the block.

Fault: the convolution of `dense.1` gives 24 channels instead of 32, so the norm of `dense.2` is
given 120 channels and expects 128. The layer that raises is not the layer that is wrong.
"""

import torch
from torch import nn


class DenseLayer(nn.Module):
    def __init__(self, channels_in, growth):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels_in)
        self.conv = nn.Conv2d(channels_in, growth, 3, padding=1, bias=False)

    def forward(self, features):
        return self.conv(torch.relu(self.norm(features)))


class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3, stride=2, padding=1)
        self.dense = nn.ModuleList(
            [
                DenseLayer(64, growth=32),
                DenseLayer(96, growth=24),
                DenseLayer(128, growth=32),
                DenseLayer(160, growth=32),
            ]
        )
        self.norm = nn.BatchNorm2d(192)
        self.head = nn.Linear(192, 10)

    def forward(self, x):
        features = self.stem(x)
        for layer in self.dense:
            features = torch.cat([features, layer(features)], dim=1)
        features = torch.relu(self.norm(features))
        return self.head(features.mean(dim=(2, 3)))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(DenseNet()(images).shape))
