"""A healthy ResNet for 32 x 32 images: every stage that shrinks the image projects its skip.

The correct twin of `resnet_lost_projection.py`; the two differ in the line that makes `layer2`.
"""

import torch
from torch import nn


class BasicBlock(nn.Module):
    def __init__(self, channels_in, channels, stride=1, downsample=None):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample = downsample

    def forward(self, x):
        identity = x
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        if self.downsample is not None:
            identity = self.downsample(x)
        out += identity
        return self.relu(out)


def projection(channels_in, channels):
    return nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride=2, bias=False), nn.BatchNorm2d(channels))


def stage(channels_in, channels, stride=1, downsample=None):
    first = BasicBlock(channels_in, channels, stride, downsample)
    return nn.Sequential(first, BasicBlock(channels, channels))


class ResNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.relu = nn.ReLU(inplace=True)
        self.layer1 = stage(16, 16)
        self.layer2 = stage(16, 32, stride=2, downsample=projection(16, 32))
        self.layer3 = stage(32, 64, stride=2, downsample=projection(32, 64))
        self.layer4 = stage(64, 128, stride=2, downsample=projection(64, 128))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(128, classes)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.pool(x), 1))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(ResNet()(images).shape))
