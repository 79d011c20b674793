"""Three residual stages that halve the image, each with a projection; one projection forgets to halve.

Fault: `stage2.project` has a stride of 1 where `stage1.project` and `stage3.project` have 2, so the
skip of `stage2` stays at 16 x 16 while its main branch goes to 8 x 8.
"""

import torch
from torch import nn


class Stage(nn.Module):
    def __init__(self, channels_in, channels, project_stride=2):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=2, padding=1)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(channels)
        self.project = nn.Conv2d(channels_in, channels, 1, stride=project_stride)

    def forward(self, x):
        main = torch.relu(self.norm1(self.conv1(x)))
        main = self.norm2(self.conv2(main))
        return torch.relu(main + self.project(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.stage1 = Stage(16, 32)
        self.stage2 = Stage(32, 64, project_stride=1)
        self.stage3 = Stage(64, 128)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        x = self.stage3(self.stage2(self.stage1(self.stem(x))))
        return self.head(self.pool(x).flatten(1))


if __name__ == "__main__":
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32)
    print("input", tuple(images.shape))
    print("output", tuple(Net()(images).shape))
