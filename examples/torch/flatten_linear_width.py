"""A small convolutional net for digits whose first linear layer counts the flattened features wrongly.

Fault: `conv2` and the pooling after it leave 16 channels of 4 x 4 positions, 256 features for each
image, and `fc1` expects 8 * 5 * 5 = 200.
"""

import torch
from torch import nn


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5)
        self.conv2 = nn.Conv2d(8, 16, 5)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(8 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


if __name__ == "__main__":
    torch.manual_seed(0)
    digits = torch.randn(4, 1, 28, 28)
    print("input", tuple(digits.shape))
    print("output", tuple(DigitNet()(digits).shape))
