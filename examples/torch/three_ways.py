"""Three ways to use shapewatch on a small healthy model: around a block, on a class, before any run."""

import torch
from torch import nn

import shapewatch


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, x):
        return x + self.inner(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(12, 32)
        self.body = Residual(32)
        self.head = nn.Linear(32, 4)

    def forward(self, x):
        return self.head(self.body(self.stem(x)))


@shapewatch.watch
class WatchedNet(Net):
    """Every call is watched; a shape error leaves with the explanation added to it."""


if __name__ == "__main__":
    torch.manual_seed(0)
    rows = torch.randn(8, 12)
    print("input", tuple(rows.shape))

    # A context manager watches whatever runs inside, and has the report after the block.
    model = Net()
    with shapewatch.watch(model) as session:
        output = model(rows)
    print("output", tuple(output.shape))
    for junction in session.report.junctions:
        print("junction", junction.kind, junction.layer, junction.status)

    # A decorated class runs as it did before.
    print("output", tuple(WatchedNet()(rows).shape))

    # A check computes nothing: it sends shapes through the model, and can do so before there is any data.
    report = shapewatch.check(model, input_shape=(8, 12))
    print("ok", report.ok)
