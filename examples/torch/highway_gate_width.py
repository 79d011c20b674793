"""Three highway layers that let a gate choose between a transform and the input; one transform is too wide.

A highway layer computes `gate * transform + (1 - gate) * x`, so gate, transform and input need the
same width.

Fault: `layers.1.transform` gives 96 features where its gate, its input and the layers around it
have 64.
"""

import torch
from torch import nn


class Highway(nn.Module):
    def __init__(self, width, transform_width):
        super().__init__()
        self.transform = nn.Linear(width, transform_width)
        self.gate = nn.Linear(width, width)

    def forward(self, x):
        transformed = torch.relu(self.transform(x))
        gate = torch.sigmoid(self.gate(x))
        return gate * transformed + (1 - gate) * x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(20, 64)
        self.layers = nn.Sequential(Highway(64, 64), Highway(64, 96), Highway(64, 64))
        self.head = nn.Linear(64, 3)

    def forward(self, x):
        return self.head(self.layers(torch.relu(self.stem(x))))


if __name__ == "__main__":
    torch.manual_seed(0)
    rows = torch.randn(8, 20)
    print("input", tuple(rows.shape))
    print("output", tuple(Net()(rows).shape))
