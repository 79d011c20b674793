"""Attention U-Net (Oktay et al., 2018) for pancreas slices -- reimplementation.

The attention gate takes the skip tensor ``x`` and the *coarser* decoder tensor
``g`` (half the resolution), computes one coefficient per pixel and rescales ``x``.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class SlicesDataset(Dataset):
    """A stand-in for the NIH Pancreas-CT slices."""

    def __init__(self, number_of_slices=6, size=64):
        self.images = torch.randn(number_of_slices, 1, size, size)
        self.targets = (torch.rand(number_of_slices, size, size) > 0.9).long()

    def __len__(self):
        return self.images.size(0)

    def __getitem__(self, idx):
        return self.images[idx], self.targets[idx]


class DoubleConvolution(nn.Module):
    def __init__(self, input_channels, output_channels):
        super().__init__()
        self.first = nn.Conv2d(input_channels, output_channels, kernel_size=3, padding=1)
        self.first_norm = nn.BatchNorm2d(output_channels)
        self.second = nn.Conv2d(output_channels, output_channels, kernel_size=3, padding=1)
        self.second_norm = nn.BatchNorm2d(output_channels)

    def forward(self, x):
        x = F.relu(self.first_norm(self.first(x)))
        x = F.relu(self.second_norm(self.second(x)))
        return x


class GridAttentionGate(nn.Module):
    def __init__(self, skip_channels, gating_channels, inner_channels):
        super().__init__()
        self.theta = nn.Conv2d(skip_channels, inner_channels, kernel_size=2, stride=2, bias=False)
        self.phi = nn.Conv2d(gating_channels, inner_channels, kernel_size=1)
        self.psi = nn.Conv2d(inner_channels, 1, kernel_size=1)
        self.output = nn.Sequential(
            nn.Conv2d(skip_channels, skip_channels, kernel_size=1),
            nn.BatchNorm2d(skip_channels),
        )

    def forward(self, x, g):
        joint = F.relu(self.theta(x) + self.phi(g))
        alpha = torch.sigmoid(self.psi(joint))
        alpha = F.interpolate(alpha, size=x.shape[2:], mode="bilinear", align_corners=False)
        return self.output(alpha * x), alpha


class UpStage(nn.Module):
    def __init__(self, below_channels, skip_channels, output_channels):
        super().__init__()
        self.upsample = nn.ConvTranspose2d(below_channels, skip_channels, kernel_size=2, stride=2)
        self.convolution = DoubleConvolution(2 * skip_channels, output_channels)

    def forward(self, below, skip):
        return self.convolution(torch.cat((skip, self.upsample(below)), dim=1))


class AttentionUNet(nn.Module):
    def __init__(self, input_channels=1, classes=2, base=12):
        super().__init__()
        f1, f2, f3, f4 = base, 2 * base, 4 * base, 8 * base

        self.down1 = DoubleConvolution(input_channels, f1)
        self.down2 = DoubleConvolution(f1, f2)
        self.down3 = DoubleConvolution(f2, f3)
        self.center = DoubleConvolution(f3, f4)

        # gates
        self.gate3 = GridAttentionGate(f3, f4, inner_channels=f3)
        self.gate2 = GridAttentionGate(f2, f4, inner_channels=f2)
        self.gate1 = GridAttentionGate(f1, f2, inner_channels=f1)

        # decoder
        self.up3 = UpStage(f4, f3, f3)
        self.up2 = UpStage(f3, f2, f2)
        self.up1 = UpStage(f2, f1, f1)

        self.classifier = nn.Conv2d(f1, classes, kernel_size=1)

    def forward(self, image):
        e1 = self.down1(image)
        e2 = self.down2(F.max_pool2d(e1, 2))
        e3 = self.down3(F.max_pool2d(e2, 2))
        c = self.center(F.max_pool2d(e3, 2))

        s3, a3 = self.gate3(e3, c)
        d3 = self.up3(c, s3)
        s2, a2 = self.gate2(e2, d3)
        d2 = self.up2(d3, s2)
        s1, a1 = self.gate1(e1, d2)
        d1 = self.up1(d2, s1)
        return self.classifier(d1), (a1, a2, a3)


def train():
    torch.manual_seed(1234)
    loader = DataLoader(SlicesDataset(), batch_size=2, shuffle=True)
    network = AttentionUNet()
    weights = torch.tensor([0.2, 0.8])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    for iteration, (images, targets) in enumerate(loader):
        logits, attention_maps = network(images)
        loss = F.cross_entropy(logits, targets, weight=weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        means = ", ".join("%.3f" % a.mean().item() for a in attention_maps)
        print("iteration %d: loss = %.4f, mean attention = [%s]" % (iteration, loss.item(), means))


if __name__ == "__main__":
    train()
