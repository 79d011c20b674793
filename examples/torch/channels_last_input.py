"""A sound convolutional net, given pictures with the channels in the last place.

Image files and most plotting and augmentation code keep a picture as height, width, channels;
PyTorch's convolutions want channels, height, width.

Fault: the input is [2, 48, 64, 3], so `stem` takes the 48 rows for channels. The model is right;
the input's axes have to be put in order before it.
"""

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(16)
        self.body = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        x = torch.relu(self.body(x))
        return self.head(self.pool(x).flatten(1))


if __name__ == "__main__":
    torch.manual_seed(0)
    pictures = torch.rand(2, 48, 64, 3)
    print("input", tuple(pictures.shape))
    print("output", tuple(Net()(pictures).shape))
