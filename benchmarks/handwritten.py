"""Small models as people write them by hand, each in the shape its tutorial or paper gives it.

Every builder takes nothing and returns a module with random weights; `zoo.py` says which inputs each takes.
The models share little code on purpose: what they have in common they write out, as their authors would.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

BUILDERS: dict[str, Callable[[], nn.Module]] = {}


def architecture(build: Callable[[], nn.Module]) -> Callable[[], nn.Module]:
    """Put a builder into `BUILDERS` under its own name."""
    BUILDERS[build.__name__] = build
    return build


# Plain networks


class LeNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


@architecture
def lenet() -> nn.Module:
    return LeNet()


@architecture
def plain_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(128 * 4 * 4, 256),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(256, 10),
    )


class ViewCNN(nn.Module):
    """Flattens with its size written out, so that a wrong one can move into the batch axis."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1),
            nn.PReLU(16),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.PReLU(32),
            nn.AdaptiveAvgPool2d(6),
        )
        self.head = nn.Linear(32 * 6 * 6, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        return self.head(x.view(-1, 32 * 6 * 6))


@architecture
def view_cnn() -> nn.Module:
    return ViewCNN()


@architecture
def mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(64, 128), nn.LayerNorm(128), nn.GELU(), nn.Linear(128, 96), nn.ReLU(), nn.Linear(96, 10)
    )


class ResidualMLPBlock(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.fc2(F.gelu(self.fc1(self.norm(x))))


@architecture
def residual_mlp() -> nn.Module:
    return nn.Sequential(
        nn.Linear(40, 64), *[ResidualMLPBlock(64, 256) for _ in range(4)], nn.LayerNorm(64), nn.Linear(64, 5)
    )


class Highway(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.transform = nn.Linear(width, width)
        self.gate = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.gate(x))
        return gate * F.relu(self.transform(x)) + (1 - gate) * x


@architecture
def highway() -> nn.Module:
    return nn.Sequential(nn.Linear(30, 48), *[Highway(48) for _ in range(3)], nn.Linear(48, 4))


# Residual networks


class BasicBlock(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.shortcut = nn.Sequential()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride=stride, bias=False), nn.BatchNorm2d(outside)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class CifarResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(BasicBlock(16, 16), BasicBlock(16, 16))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2), BasicBlock(32, 32))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, 2), BasicBlock(64, 64))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        x = F.avg_pool2d(x, 8)
        return self.linear(x.view(x.size(0), -1))


@architecture
def cifar_resnet() -> nn.Module:
    return CifarResNet()


class PreActBlock(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1, bias=False)
        self.projection = None
        if stride != 1 or inside != outside:
            self.projection = nn.Conv2d(inside, outside, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        out = F.relu(self.bn1(x))
        skip = x if self.projection is None else self.projection(out)
        out = self.conv1(out)
        out = self.conv2(F.relu(self.bn2(out)))
        return out + skip


@architecture
def preact_resnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        PreActBlock(16, 16),
        PreActBlock(16, 32, 2),
        PreActBlock(32, 32),
        PreActBlock(32, 64, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


class SqueezeExcite(nn.Module):
    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Linear(channels, channels // reduction)
        self.expand = nn.Linear(channels // reduction, channels)

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, _, _ = x.shape
        weight = self.pool(x).view(batch, channels)
        weight = torch.sigmoid(self.expand(F.relu(self.reduce(weight))))
        return x * weight.view(batch, channels, 1, 1)


class Bottleneck(nn.Module):
    expansion = 4

    def __init__(self, inside: int, width: int, stride: int = 1, squeeze: bool = False) -> None:
        super().__init__()
        outside = width * self.expansion
        self.conv1 = nn.Conv2d(inside, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outside, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outside)
        self.se = SqueezeExcite(outside) if squeeze else nn.Identity()
        self.downsample = None
        if stride != 1 or inside != outside:
            self.downsample = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride=stride, bias=False), nn.BatchNorm2d(outside)
            )

    def forward(self, x: Tensor) -> Tensor:
        identity = x
        out = F.relu(self.bn1(self.conv1(x)))
        out = F.relu(self.bn2(self.conv2(out)))
        out = self.se(self.bn3(self.conv3(out)))
        if self.downsample is not None:
            identity = self.downsample(x)
        return F.relu(out + identity)


def bottlenecks(squeeze: bool) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 7, stride=2, padding=3, bias=False),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
        Bottleneck(16, 16, squeeze=squeeze),
        Bottleneck(64, 16, squeeze=squeeze),
        Bottleneck(64, 32, 2, squeeze=squeeze),
        Bottleneck(128, 32, squeeze=squeeze),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(128, 10),
    )


@architecture
def bottleneck_resnet() -> nn.Module:
    return bottlenecks(squeeze=False)


@architecture
def se_resnet() -> nn.Module:
    return bottlenecks(squeeze=True)


class ResBlock1d(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(inside, outside, 7, stride=stride, padding=3)
        self.bn1 = nn.BatchNorm1d(outside)
        self.conv2 = nn.Conv1d(outside, outside, 7, padding=3)
        self.bn2 = nn.BatchNorm1d(outside)
        self.skip = None
        if stride != 1 or inside != outside:
            self.skip = nn.Conv1d(inside, outside, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        residual = x if self.skip is None else self.skip(x)
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + residual)


@architecture
def resnet_1d() -> nn.Module:
    """For an electrocardiogram: 12 leads."""
    return nn.Sequential(
        nn.Conv1d(12, 32, 15, stride=2, padding=7),
        ResBlock1d(32, 32),
        ResBlock1d(32, 64, 2),
        ResBlock1d(64, 64),
        ResBlock1d(64, 128, 2),
        nn.AdaptiveAvgPool1d(1),
        nn.Flatten(),
        nn.Linear(128, 5),
    )


class ResBlock3d(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(inside, outside, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.GroupNorm(4, outside)
        self.conv2 = nn.Conv3d(outside, outside, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(4, outside)
        self.shortcut = nn.Identity()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(nn.AvgPool3d(stride), nn.Conv3d(inside, outside, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(self.shortcut(x) + out)


@architecture
def resnet_3d() -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(1, 8, 3, padding=1),
        ResBlock3d(8, 8),
        ResBlock3d(8, 16, 2),
        ResBlock3d(16, 32, 2),
        nn.AdaptiveAvgPool3d(1),
        nn.Flatten(),
        nn.Linear(32, 2),
    )


# Dense and multi-branch networks


class DenseLayer(nn.Module):
    def __init__(self, inside: int, growth: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inside)
        self.conv1 = nn.Conv2d(inside, 4 * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(4 * growth)
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        new = self.conv1(F.relu(self.norm1(x)))
        new = self.conv2(F.relu(self.norm2(new)))
        return torch.cat([x, new], 1)


def dense_block(inside: int, layers: int, growth: int) -> nn.Sequential:
    return nn.Sequential(*[DenseLayer(inside + i * growth, growth) for i in range(layers)])


@architecture
def small_densenet() -> nn.Module:
    growth = 12
    return nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1, bias=False),
        dense_block(24, 4, growth),
        nn.Conv2d(72, 36, 1, bias=False),
        nn.AvgPool2d(2),
        dense_block(36, 4, growth),
        nn.BatchNorm2d(84),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(84, 10),
    )


class Inception(nn.Module):
    def __init__(self, inside: int, one: int, three: int, five: int, pooled: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(inside, one, 1)
        self.three = nn.Sequential(
            nn.Conv2d(inside, three // 2, 1), nn.ReLU(), nn.Conv2d(three // 2, three, 3, padding=1)
        )
        self.five = nn.Sequential(nn.Conv2d(inside, five // 2, 1), nn.ReLU(), nn.Conv2d(five // 2, five, 5, padding=2))
        self.pooled = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(inside, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat((self.one(x), self.three(x), self.five(x), self.pooled(x)), dim=1)


@architecture
def small_inception() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, stride=2, padding=1),
        Inception(32, 16, 24, 8, 8),
        nn.ReLU(),
        Inception(56, 24, 32, 12, 12),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        Inception(80, 32, 48, 16, 16),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(112, 10),
    )


class InvertedResidual(nn.Module):
    def __init__(self, inside: int, outside: int, stride: int, expand: int) -> None:
        super().__init__()
        hidden = inside * expand
        self.use_residual = stride == 1 and inside == outside
        self.expand = nn.Sequential(nn.Conv2d(inside, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU6())
        self.depthwise = nn.Sequential(
            nn.Conv2d(hidden, hidden, 3, stride=stride, padding=1, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(),
        )
        self.project = nn.Sequential(nn.Conv2d(hidden, outside, 1, bias=False), nn.BatchNorm2d(outside))

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.use_residual else y


@architecture
def small_mobilenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, stride=2, padding=1, bias=False),
        InvertedResidual(16, 16, 1, 2),
        InvertedResidual(16, 24, 2, 4),
        InvertedResidual(24, 24, 1, 4),
        InvertedResidual(24, 40, 2, 4),
        InvertedResidual(40, 40, 1, 4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(40, 10),
    )


class SpatialAttention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel = nn.Sequential(
            nn.Conv2d(channels, channels // 4, 1), nn.ReLU(), nn.Conv2d(channels // 4, channels, 1)
        )
        self.spatial = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, x: Tensor) -> Tensor:
        average = self.channel(F.adaptive_avg_pool2d(x, 1))
        largest = self.channel(F.adaptive_max_pool2d(x, 1))
        x = x * torch.sigmoid(average + largest)
        both = torch.cat([x.mean(1, keepdim=True), x.amax(1, keepdim=True)], dim=1)
        return x * torch.sigmoid(self.spatial(both))


class AttentiveBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1), nn.InstanceNorm2d(channels, affine=True), nn.ReLU()
        )
        self.attention = SpatialAttention(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attention(self.body(x))


@architecture
def cbam_net() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, stride=2, padding=1),
        AttentiveBlock(32),
        nn.Conv2d(32, 64, 3, stride=2, padding=1),
        AttentiveBlock(64),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(1),
        nn.Linear(64, 10),
    )


# Encoder-decoder networks


def double_conv(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, padding=1),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
        nn.Conv2d(outside, outside, 3, padding=1),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class UNet(nn.Module):
    """With transposed convolutions."""

    def __init__(self, inside: int = 3, classes: int = 2, width: int = 16) -> None:
        super().__init__()
        self.enc1 = double_conv(inside, width)
        self.enc2 = double_conv(width, width * 2)
        self.enc3 = double_conv(width * 2, width * 4)
        self.pool = nn.MaxPool2d(2)
        self.bottleneck = double_conv(width * 4, width * 8)
        self.up3 = nn.ConvTranspose2d(width * 8, width * 4, 2, stride=2)
        self.dec3 = double_conv(width * 8, width * 4)
        self.up2 = nn.ConvTranspose2d(width * 4, width * 2, 2, stride=2)
        self.dec2 = double_conv(width * 4, width * 2)
        self.up1 = nn.ConvTranspose2d(width * 2, width, 2, stride=2)
        self.dec1 = double_conv(width * 2, width)
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        e1 = self.enc1(x)
        e2 = self.enc2(self.pool(e1))
        e3 = self.enc3(self.pool(e2))
        b = self.bottleneck(self.pool(e3))
        d3 = self.dec3(torch.cat([self.up3(b), e3], dim=1))
        d2 = self.dec2(torch.cat([self.up2(d3), e2], dim=1))
        d1 = self.dec1(torch.cat([self.up1(d2), e1], dim=1))
        return self.head(d1)


@architecture
def unet_transposed() -> nn.Module:
    return UNet()


class UpBlock(nn.Module):
    def __init__(self, inside: int, skip: int, outside: int) -> None:
        super().__init__()
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv = double_conv(inside + skip, outside)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        return self.conv(torch.cat((skip, self.up(x)), 1))


class UpsampleUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = (16, 32, 64, 128)
        self.inc = double_conv(1, widths[0])
        self.downs = nn.ModuleList(nn.Sequential(nn.MaxPool2d(2), double_conv(a, b)) for a, b in pairwise(widths))
        self.ups = nn.ModuleList([UpBlock(128, 64, 64), UpBlock(64, 32, 32), UpBlock(32, 16, 16)])
        self.outc = nn.Conv2d(16, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = [self.inc(x)]
        for down in self.downs:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.ups:
            x = up(x, skips.pop())
        return self.outc(x)


@architecture
def unet_upsample() -> nn.Module:
    return UpsampleUNet()


class AttentionGate(nn.Module):
    def __init__(self, gate: int, skip: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Conv2d(gate, hidden, 1), nn.BatchNorm2d(hidden))
        self.skip = nn.Sequential(nn.Conv2d(skip, hidden, 1), nn.BatchNorm2d(hidden))
        self.psi = nn.Sequential(nn.Conv2d(hidden, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())

    def forward(self, gate: Tensor, skip: Tensor) -> Tensor:
        return skip * self.psi(F.relu(self.gate(gate) + self.skip(skip)))


class AttentionUNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc1, self.enc2, self.enc3 = double_conv(3, 16), double_conv(16, 32), double_conv(32, 64)
        self.up2 = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(64, 32, 3, padding=1))
        self.gate2 = AttentionGate(32, 32, 16)
        self.dec2 = double_conv(64, 32)
        self.up1 = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1))
        self.gate1 = AttentionGate(16, 16, 8)
        self.dec1 = double_conv(32, 16)
        self.head = nn.Conv2d(16, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        e1 = self.enc1(x)
        e2 = self.enc2(F.max_pool2d(e1, 2))
        e3 = self.enc3(F.max_pool2d(e2, 2))
        d2 = self.up2(e3)
        d2 = self.dec2(torch.cat((self.gate2(d2, e2), d2), 1))
        d1 = self.up1(d2)
        d1 = self.dec1(torch.cat((self.gate1(d1, e1), d1), 1))
        return self.head(d1)


@architecture
def unet_attention() -> nn.Module:
    return AttentionUNet()


class UNet1d(nn.Module):
    """With strided convolutions down, and transposed ones up that need an output padding."""

    def __init__(self) -> None:
        super().__init__()
        self.inc = nn.Conv1d(2, 16, 5, padding=2)
        self.down1 = nn.Conv1d(16, 32, 5, stride=2, padding=2)
        self.down2 = nn.Conv1d(32, 64, 5, stride=2, padding=2)
        self.up2 = nn.ConvTranspose1d(64, 32, 5, stride=2, padding=2, output_padding=1)
        self.merge2 = nn.Conv1d(64, 32, 1)
        self.up1 = nn.ConvTranspose1d(32, 16, 5, stride=2, padding=2, output_padding=1)
        self.merge1 = nn.Conv1d(32, 16, 1)
        self.out = nn.Conv1d(16, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        s1 = F.relu(self.inc(x))
        s2 = F.relu(self.down1(s1))
        y = F.relu(self.down2(s2))
        y = self.merge2(torch.cat([F.relu(self.up2(y)), s2], 1))
        y = self.merge1(torch.cat([F.relu(self.up1(y)), s1], 1))
        return self.out(y)


@architecture
def unet_1d() -> nn.Module:
    return UNet1d()


class TimeBlock(nn.Module):
    def __init__(self, inside: int, outside: int, time: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(4, inside)
        self.conv1 = nn.Conv2d(inside, outside, 3, padding=1)
        self.time = nn.Linear(time, outside)
        self.norm2 = nn.GroupNorm(4, outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, padding=1)
        self.skip = nn.Conv2d(inside, outside, 1) if inside != outside else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time(F.silu(time))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + self.skip(x)


class DiffusionUNet(nn.Module):
    def __init__(self, width: int = 16, time: int = 32) -> None:
        super().__init__()
        self.width = width
        self.time = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.down1 = TimeBlock(width, width, time)
        self.shrink1 = nn.Conv2d(width, width, 3, stride=2, padding=1)
        self.down2 = TimeBlock(width, width * 2, time)
        self.shrink2 = nn.Conv2d(width * 2, width * 2, 3, stride=2, padding=1)
        self.middle = TimeBlock(width * 2, width * 2, time)
        self.grow2 = nn.ConvTranspose2d(width * 2, width * 2, 4, stride=2, padding=1)
        self.up2 = TimeBlock(width * 4, width, time)
        self.grow1 = nn.ConvTranspose2d(width, width, 4, stride=2, padding=1)
        self.up1 = TimeBlock(width * 2, width, time)
        self.out = nn.Conv2d(width, 3, 3, padding=1)

    def embed(self, step: Tensor) -> Tensor:
        half = self.width // 2
        frequencies = torch.exp(-math.log(10_000) * torch.arange(half, device=step.device) / half)
        angles = step.float()[:, None] * frequencies[None]
        return torch.cat([angles.sin(), angles.cos()], dim=-1)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        time = self.time(self.embed(step))
        h1 = self.down1(self.stem(x), time)
        h2 = self.down2(self.shrink1(h1), time)
        h = self.middle(self.shrink2(h2), time)
        h = self.up2(torch.cat([self.grow2(h), h2], dim=1), time)
        h = self.up1(torch.cat([self.grow1(h), h1], dim=1), time)
        return self.out(h)


@architecture
def diffusion_unet() -> nn.Module:
    return DiffusionUNet()


class Autoencoder(nn.Module):
    """Returns the reconstruction plus half of the input: a mismatch of the two shows at the addition."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 7),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 7),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 16, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(16, 1, 3, stride=2, padding=1, output_padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.decoder(self.encoder(x)) + 0.5 * x


@architecture
def conv_autoencoder() -> nn.Module:
    return Autoencoder()


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 64), nn.ReLU())
        self.mean = nn.Linear(64, 16)
        self.log_variance = nn.Linear(64, 16)
        self.decode = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encode(x.flatten(1))
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        latent = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decode(latent).view(-1, 1, 28, 28), mean, log_variance


@architecture
def vae() -> nn.Module:
    return VAE()


@architecture
def dcgan_generator() -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose2d(100, 128, 4, 1, 0, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(True),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(True),
        nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(True),
        nn.ConvTranspose2d(32, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


@architecture
def dcgan_discriminator() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(32, 64, 4, 2, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(64, 128, 4, 2, 1, bias=False),
        nn.BatchNorm2d(128),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Conv2d(128, 1, 4, 1, 0, bias=False),
        nn.Flatten(),
        nn.Sigmoid(),
    )


class GanPair(nn.Module):
    """A conditional generator from a class label, then the discriminator on what it made."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(10, 16)
        self.project = nn.Linear(32 + 16, 64 * 4 * 4)
        self.grow = nn.Sequential(
            nn.BatchNorm2d(64),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(64, 32, 3, 1, 1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
        )
        self.paint = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(32, 1, 3, 1, 1), nn.Tanh())
        self.judge = nn.Sequential(nn.Flatten(), nn.Linear(256 + 16, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))

    def forward(self, noise: Tensor, label: Tensor) -> Tensor:
        condition = self.label(label)
        image = self.project(torch.cat((noise, condition), 1)).view(-1, 64, 4, 4)
        image = self.paint(self.grow(image))
        return self.judge(torch.cat((image.flatten(1), condition), 1))


@architecture
def conditional_gan() -> nn.Module:
    return GanPair()


class EDSRBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(True), nn.Conv2d(width, width, 3, padding=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.1 * self.body(x)


class EDSR(nn.Module):
    def __init__(self, width: int = 32, scale: int = 2) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.Sequential(*[EDSRBlock(width) for _ in range(3)], nn.Conv2d(width, width, 3, padding=1))
        self.tail = nn.Sequential(
            nn.Conv2d(width, width * scale**2, 3, padding=1),
            nn.PixelShuffle(scale),
            nn.Conv2d(width, 3, 3, padding=1),
        )
        self.enlarge = nn.Upsample(scale_factor=scale, mode="bicubic")

    def forward(self, x: Tensor) -> Tensor:
        h = self.head(x)
        h = h + self.body(h)
        return self.tail(h) + self.enlarge(x)


@architecture
def edsr() -> nn.Module:
    return EDSR()


class SRGANBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(width)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bn2(self.conv2(self.prelu(self.bn1(self.conv1(x)))))


class SRGAN(nn.Module):
    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(3, width, 9, padding=4), nn.PReLU())
        self.blocks = nn.Sequential(*[SRGANBlock(width) for _ in range(3)])
        self.after = nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width))
        self.up = nn.Sequential(nn.Conv2d(width, 4 * width, 3, padding=1), nn.PixelShuffle(2), nn.PReLU(width))
        self.out = nn.Conv2d(width, 3, 9, padding=4)

    def forward(self, x: Tensor) -> Tensor:
        first = self.head(x)
        return torch.tanh(self.out(self.up(first + self.after(self.blocks(first)))))


@architecture
def srgan_generator() -> nn.Module:
    return SRGAN()


class FPN(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.BatchNorm2d(16), nn.ReLU())
        self.stage2 = nn.Sequential(nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.BatchNorm2d(32), nn.ReLU())
        self.stage3 = nn.Sequential(nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.BatchNorm2d(64), nn.ReLU())
        self.lateral1 = nn.Conv2d(16, width, 1)
        self.lateral2 = nn.Conv2d(32, width, 1)
        self.lateral3 = nn.Conv2d(64, width, 1)
        self.smooth1 = nn.Conv2d(width, width, 3, padding=1)
        self.smooth2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> list[Tensor]:
        c1 = self.stage1(x)
        c2 = self.stage2(c1)
        c3 = self.stage3(c2)
        p3 = self.lateral3(c3)
        p2 = self.lateral2(c2) + F.interpolate(p3, scale_factor=2)
        p1 = self.lateral1(c1) + F.interpolate(p2, scale_factor=2)
        return [self.smooth1(p1), self.smooth2(p2), p3]


@architecture
def feature_pyramid() -> nn.Module:
    return FPN()


class HourglassLevel(nn.Module):
    def __init__(self, depth: int, width: int) -> None:
        super().__init__()
        self.skip = PreActBlock(width, width)
        self.pool = nn.MaxPool2d(2, 2)
        self.before = PreActBlock(width, width)
        self.inner = HourglassLevel(depth - 1, width) if depth > 1 else PreActBlock(width, width)
        self.after = PreActBlock(width, width)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: Tensor) -> Tensor:
        low = self.after(self.inner(self.before(self.pool(x))))
        return self.skip(x) + self.up(low)


@architecture
def hourglass() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, padding=1), HourglassLevel(3, 16), nn.Conv2d(16, 8, 1))


class PyramidPooling(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=2, dilation=2),
        )
        self.stages = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(size), nn.Conv2d(width, width // 4, 1)) for size in (1, 2, 4, 8)
        )
        self.bottleneck = nn.Conv2d(2 * width, width, 3, padding=1)
        self.classify = nn.Conv2d(width, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        x = self.backbone(x)
        pooled = [F.interpolate(s(x), size=x.shape[-2:], mode="bilinear") for s in self.stages]
        x = self.classify(F.relu(self.bottleneck(torch.cat([x, *pooled], 1))))
        return F.interpolate(x, size=size, mode="bilinear")


@architecture
def pyramid_pooling() -> nn.Module:
    return PyramidPooling()


# Sequences


class GatedLayer(nn.Module):
    def __init__(self, residual: int, skip: int, dilation: int) -> None:
        super().__init__()
        self.filter = nn.Conv1d(residual, residual, 3, padding=dilation, dilation=dilation)
        self.gate = nn.Conv1d(residual, residual, 3, padding=dilation, dilation=dilation)
        self.residual = nn.Conv1d(residual, residual, 1)
        self.skip = nn.Conv1d(residual, skip, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.tanh(self.filter(x)) * torch.sigmoid(self.gate(x))
        return x + self.residual(h), self.skip(h)


class WaveNet(nn.Module):
    def __init__(self, residual: int = 24, skip: int = 40) -> None:
        super().__init__()
        self.inlet = nn.Conv1d(1, residual, 1)
        self.layers = nn.ModuleList(GatedLayer(residual, skip, 2**i) for i in range(4))
        self.end1 = nn.Conv1d(skip, 32, 1)
        self.end2 = nn.Conv1d(32, 64, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inlet(x)
        total: Tensor | int = 0
        for layer in self.layers:
            x, skip = layer(x)
            total = total + skip
        return self.end2(F.relu(self.end1(F.relu(total))))


@architecture
def wavenet() -> nn.Module:
    return WaveNet()


class TemporalBlock(nn.Module):
    def __init__(self, inside: int, outside: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.trim = (kernel - 1) * dilation
        self.conv1 = nn.Conv1d(inside, outside, kernel, padding=self.trim, dilation=dilation)
        self.conv2 = nn.Conv1d(outside, outside, kernel, padding=self.trim, dilation=dilation)
        self.dropout = nn.Dropout(0.1)
        self.downsample = nn.Conv1d(inside, outside, 1) if inside != outside else None

    def forward(self, x: Tensor) -> Tensor:
        y = self.dropout(F.relu(self.conv1(x)[:, :, : -self.trim]))
        y = self.dropout(F.relu(self.conv2(y)[:, :, : -self.trim]))
        skip = x if self.downsample is None else self.downsample(x)
        return F.relu(y + skip)


@architecture
def temporal_conv() -> nn.Module:
    return nn.Sequential(
        TemporalBlock(8, 16, 3, 1),
        TemporalBlock(16, 32, 3, 2),
        TemporalBlock(32, 32, 3, 4),
        nn.Conv1d(32, 4, 1),
    )


class LSTMTagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(100, 32)
        self.lstm = nn.LSTM(32, 48, num_layers=2, bidirectional=True, batch_first=True)
        self.norm = nn.LayerNorm(96)
        self.tag = nn.Linear(96, 9)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden, _ = self.lstm(self.embedding(tokens))
        return self.tag(self.norm(hidden))


@architecture
def lstm_tagger() -> nn.Module:
    return LSTMTagger()


class SkipLSTM(nn.Module):
    """The input is concatenated to each layer's output, as in densely connected recurrent networks."""

    def __init__(self, features: int = 12, hidden: int = 20) -> None:
        super().__init__()
        self.first = nn.LSTM(features, hidden, batch_first=True)
        self.second = nn.LSTM(features + hidden, hidden, batch_first=True)
        self.third = nn.LSTM(features + 2 * hidden, hidden, batch_first=True)
        self.head = nn.Linear(3 * hidden, 2)

    def forward(self, x: Tensor) -> Tensor:
        h1, _ = self.first(x)
        h2, _ = self.second(torch.cat([x, h1], dim=-1))
        h3, _ = self.third(torch.cat([x, h1, h2], dim=-1))
        return self.head(torch.cat([h1, h2, h3], dim=-1)[:, -1])


@architecture
def lstm_skips() -> nn.Module:
    return SkipLSTM()


class ResidualGRU(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.inlet = nn.Linear(10, width)
        self.layers = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(3))
        self.out = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inlet(x)
        for layer in self.layers:
            y, _ = layer(x)
            x = x + y
        return self.out(x).squeeze(-1)


@architecture
def gru_residual() -> nn.Module:
    return ResidualGRU()


class CellRNN(nn.Module):
    """Steps by hand, with cells."""

    def __init__(self) -> None:
        super().__init__()
        self.lower = nn.LSTMCell(6, 16)
        self.upper = nn.GRUCell(16, 24)
        self.out = nn.Linear(24 + 16, 3)

    def forward(self, x: Tensor) -> Tensor:
        batch = x.shape[0]
        h, c, g = x.new_zeros(batch, 16), x.new_zeros(batch, 16), x.new_zeros(batch, 24)
        steps = []
        for step in x.unbind(1):
            h, c = self.lower(step, (h, c))
            g = self.upper(h, g)
            steps.append(self.out(torch.cat([h, g], 1)))
        return torch.stack(steps, dim=1)


@architecture
def rnn_cells() -> nn.Module:
    return CellRNN()


class ConvLSTM(nn.Module):
    def __init__(self, inside: int = 3, hidden: int = 8) -> None:
        super().__init__()
        self.hidden = hidden
        self.gates = nn.Conv2d(inside + hidden, 4 * hidden, 3, padding=1)
        self.out = nn.Conv2d(hidden, 1, 1)

    def forward(self, frames: Tensor) -> Tensor:
        batch, steps, _, height, width = frames.shape
        h = frames.new_zeros(batch, self.hidden, height, width)
        c = torch.zeros_like(h)
        for t in range(steps):
            i, f, o, g = self.gates(torch.cat((frames[:, t], h), 1)).chunk(4, dim=1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        return self.out(h)


@architecture
def conv_lstm() -> nn.Module:
    return ConvLSTM()


class TextCNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(200, 32)
        self.convs = nn.ModuleList(nn.Conv1d(32, 20, kernel) for kernel in (3, 4, 5))
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(60, 2)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens).transpose(1, 2)
        pooled = [F.relu(conv(x)).max(dim=2).values for conv in self.convs]
        return self.fc(self.dropout(torch.cat(pooled, 1)))


@architecture
def text_cnn() -> nn.Module:
    return TextCNN()


class AdditiveAttention(nn.Module):
    def __init__(self, query: int, key: int, hidden: int) -> None:
        super().__init__()
        self.query = nn.Linear(query, hidden, bias=False)
        self.key = nn.Linear(key, hidden, bias=False)
        self.score = nn.Linear(hidden, 1, bias=False)

    def forward(self, query: Tensor, keys: Tensor) -> Tensor:
        scores = self.score(torch.tanh(self.query(query).unsqueeze(1) + self.key(keys))).squeeze(-1)
        return torch.bmm(scores.softmax(-1).unsqueeze(1), keys).squeeze(1)


class Seq2Seq(nn.Module):
    def __init__(self, vocabulary: int = 50, embed: int = 16, hidden: int = 24) -> None:
        super().__init__()
        self.source = nn.Embedding(vocabulary, embed)
        self.target = nn.Embedding(vocabulary, embed)
        self.encoder = nn.GRU(embed, hidden, bidirectional=True, batch_first=True)
        self.bridge = nn.Linear(2 * hidden, hidden)
        self.attention = AdditiveAttention(hidden, 2 * hidden, 20)
        self.decoder = nn.GRUCell(embed + 2 * hidden, hidden)
        self.out = nn.Linear(hidden + 2 * hidden + embed, vocabulary)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        states, last = self.encoder(self.source(source))
        h = torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=1)))
        logits = []
        for word in self.target(target).unbind(1):
            context = self.attention(h, states)
            h = self.decoder(torch.cat([word, context], dim=1), h)
            logits.append(self.out(torch.cat([h, context, word], dim=1)))
        return torch.stack(logits, 1)


@architecture
def seq2seq_attention() -> nn.Module:
    return Seq2Seq()


class Prenet(nn.Module):
    def __init__(self, inside: int, sizes: tuple[int, int]) -> None:
        super().__init__()
        self.fc1 = nn.Linear(inside, sizes[0])
        self.fc2 = nn.Linear(sizes[0], sizes[1])

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(F.relu(self.fc1(x)), 0.5, training=self.training)
        return F.dropout(F.relu(self.fc2(x)), 0.5, training=self.training)


class CBHG(nn.Module):
    """Tacotron's: a bank of convolutions of every width, a residual, highways, a recurrent layer."""

    def __init__(self, width: int = 24, bank: int = 4) -> None:
        super().__init__()
        self.bank = nn.ModuleList(nn.Conv1d(width, width, k, padding=k // 2) for k in range(1, bank + 1))
        self.pool = nn.MaxPool1d(2, stride=1, padding=1)
        self.project1 = nn.Conv1d(bank * width, 2 * width, 3, padding=1)
        self.project2 = nn.Conv1d(2 * width, width, 3, padding=1)
        self.highways = nn.ModuleList(Highway(width) for _ in range(2))
        self.gru = nn.GRU(width, width, bidirectional=True, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        length = x.shape[-1]
        y = torch.cat([conv(x)[..., :length] for conv in self.bank], dim=1)
        y = self.pool(y)[..., :length]
        y = self.project2(F.relu(self.project1(y)))
        y = (y + x).transpose(1, 2)
        for layer in self.highways:
            y = layer(y)
        return self.gru(y)[0]


class Tacotron(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(40, 32)
        self.prenet = Prenet(32, (48, 24))
        self.cbhg = CBHG(24)
        self.mel = nn.Linear(48, 80)

    def forward(self, text: Tensor) -> Tensor:
        x = self.prenet(self.embedding(text)).transpose(1, 2)
        return self.mel(self.cbhg(x))


@architecture
def tacotron_encoder() -> nn.Module:
    return Tacotron()


# Transformers


class SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(x).reshape(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
        y = scores.softmax(dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(batch, length, width))


class TransformerBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class SmallTransformer(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.tokens = nn.Embedding(100, width)
        self.positions = nn.Parameter(torch.zeros(1, 64, width))
        self.blocks = nn.ModuleList(TransformerBlock(width, 4) for _ in range(3))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.tokens(tokens) + self.positions[:, : tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


@architecture
def transformer_own() -> nn.Module:
    return SmallTransformer()


class CausalAttention(nn.Module):
    """Separate projections, grouped keys, and torch's fused attention."""

    def __init__(self, width: int, heads: int, groups: int) -> None:
        super().__init__()
        self.heads, self.groups, self.size = heads, groups, width // heads
        self.q_proj = nn.Linear(width, heads * self.size, bias=False)
        self.k_proj = nn.Linear(width, groups * self.size, bias=False)
        self.v_proj = nn.Linear(width, groups * self.size, bias=False)
        self.o_proj = nn.Linear(heads * self.size, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        q = self.q_proj(x).view(batch, length, self.heads, self.size).transpose(1, 2)
        k = self.k_proj(x).view(batch, length, self.groups, self.size).transpose(1, 2)
        v = self.v_proj(x).view(batch, length, self.groups, self.size).transpose(1, 2)
        k = k.repeat_interleave(self.heads // self.groups, dim=1)
        v = v.repeat_interleave(self.heads // self.groups, dim=1)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(y.transpose(1, 2).contiguous().view(batch, length, self.heads * self.size))


class GatedFeedForward(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(width, hidden, bias=False)
        self.up_proj = nn.Linear(width, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.input_norm = nn.RMSNorm(width)
        self.attention = CausalAttention(width, 4, 2)
        self.post_norm = nn.RMSNorm(width)
        self.mlp = GatedFeedForward(width, 88)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.input_norm(x))
        return x + self.mlp(self.post_norm(x))


class LanguageModel(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Embedding(128, width)
        self.layers = nn.ModuleList(DecoderLayer(width) for _ in range(3))
        self.norm = nn.RMSNorm(width)
        self.lm_head = nn.Linear(width, 128, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embed(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm(x))


@architecture
def language_model() -> nn.Module:
    return LanguageModel()


class EncoderClassifier(nn.Module):
    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.embedding = nn.Embedding(64, 32)
        layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=batch_first)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        if not self.batch_first:
            x = x.transpose(0, 1)
        x = self.encoder(x)
        return self.head(x[:, 0] if self.batch_first else x[0])


@architecture
def torch_transformer_encoder() -> nn.Module:
    return EncoderClassifier(batch_first=True)


@architecture
def torch_transformer_encoder_time_first() -> nn.Module:
    return EncoderClassifier(batch_first=False)


class Captioner(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.visual = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, width, 3, stride=4, padding=1)
        )
        self.words = nn.Embedding(80, width)
        layer = nn.TransformerDecoderLayer(width, 4, 64, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoder(layer, 2)
        self.out = nn.Linear(width, 80)

    def forward(self, image: Tensor, words: Tensor) -> Tensor:
        memory = self.visual(image).flatten(2).transpose(1, 2)
        mask = nn.Transformer.generate_square_subsequent_mask(words.shape[1])
        return self.out(self.decoder(self.words(words), memory, tgt_mask=mask, tgt_is_causal=True))


@architecture
def torch_transformer_decoder() -> nn.Module:
    return Captioner()


class Translator(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.source = nn.Embedding(60, width)
        self.target = nn.Embedding(70, width)
        self.transformer = nn.Transformer(width, 4, 2, 2, 64, batch_first=True)
        self.out = nn.Linear(width, 70)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        return self.out(self.transformer(self.source(source), self.target(target)))


@architecture
def torch_transformer() -> nn.Module:
    return Translator()


class CrossAttentionBlock(nn.Module):
    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, kdim=context, vdim=context, batch_first=True)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        x = x + self.attention(self.norm(x), context, context, need_weights=False)[0]
        return x + self.mlp(x)


class Perceiver(nn.Module):
    def __init__(self, width: int = 32, context: int = 20) -> None:
        super().__init__()
        self.latents = nn.Parameter(torch.randn(6, width))
        self.cross = nn.ModuleList(CrossAttentionBlock(width, context) for _ in range(2))
        self.head = nn.Linear(width, 7)

    def forward(self, x: Tensor) -> Tensor:
        latents = self.latents.expand(x.shape[0], -1, -1)
        for block in self.cross:
            latents = block(latents, x)
        return self.head(latents.mean(1))


@architecture
def perceiver() -> nn.Module:
    return Perceiver()


class MultiheadEncoder(nn.Module):
    """torch's attention layer, post-norm, with the batch on the second axis."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.inlet = nn.Linear(10, width)
        self.attention = nn.ModuleList(nn.MultiheadAttention(width, 3) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.head = nn.Linear(width, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.inlet(x)
        for attention, norm in zip(self.attention, self.norms, strict=True):
            y, _ = attention(x, x, x)
            x = norm(x + y)
        return self.head(x)


@architecture
def multihead_encoder() -> nn.Module:
    return MultiheadEncoder()


class PatchTransformer(nn.Module):
    """A vision transformer with a class token."""

    def __init__(self, size: int = 32, patch: int = 8, width: int = 32) -> None:
        super().__init__()
        self.patch = nn.Conv2d(3, width, patch, stride=patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (size // patch) ** 2 + 1, width))
        self.blocks = nn.Sequential(*[TransformerBlock(width, 4) for _ in range(2)])
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1)
        x = self.blocks(x + self.positions)
        return self.head(self.norm(x)[:, 0])


@architecture
def vit_own() -> nn.Module:
    return PatchTransformer()


class MixerBlock(nn.Module):
    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.mix_tokens = nn.Sequential(nn.Linear(tokens, 2 * tokens), nn.GELU(), nn.Linear(2 * tokens, tokens))
        self.norm2 = nn.LayerNorm(width)
        self.mix_channels = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mix_tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mix_channels(self.norm2(x))


class Mixer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 40, 8, stride=8)
        self.blocks = nn.ModuleList(MixerBlock(16, 40) for _ in range(3))
        self.head = nn.Linear(40, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x).flatten(2).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean(dim=1))


@architecture
def mlp_mixer() -> nn.Module:
    return Mixer()


class ConformerBlock(nn.Module):
    def __init__(self, width: int, kernel: int = 7) -> None:
        super().__init__()
        self.ff1 = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)
        )
        self.norm_attention = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.norm_conv = nn.LayerNorm(width)
        self.pointwise1 = nn.Conv1d(width, 2 * width, 1)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.batch_norm = nn.BatchNorm1d(width)
        self.pointwise2 = nn.Conv1d(width, width, 1)
        self.ff2 = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.SiLU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + 0.5 * self.ff1(x)
        normed = self.norm_attention(x)
        x = x + self.attention(normed, normed, normed, need_weights=False)[0]
        y = F.glu(self.pointwise1(self.norm_conv(x).transpose(1, 2)), dim=1)
        y = self.pointwise2(F.silu(self.batch_norm(self.depthwise(y))))
        x = x + y.transpose(1, 2)
        return x + 0.5 * self.ff2(x)


class Conformer(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.subsample = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1))
        self.linear = nn.Linear(8 * 10, width)
        self.blocks = nn.ModuleList(ConformerBlock(width) for _ in range(2))
        self.out = nn.Linear(width, 29)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.subsample(mel.unsqueeze(1))
        batch, channels, time, bands = x.shape
        x = self.linear(x.transpose(1, 2).reshape(batch, time, channels * bands))
        for block in self.blocks:
            x = block(x)
        return self.out(x).log_softmax(-1)


@architecture
def conformer() -> nn.Module:
    return Conformer()


# Several inputs, sets and graphs


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tower = nn.Sequential(
            nn.Conv2d(1, 8, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
        )
        self.embed = nn.Linear(16 * 4 * 4, 32)
        self.compare = nn.Linear(32 * 3, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        a, b = self.embed(self.tower(left)), self.embed(self.tower(right))
        return self.compare(torch.cat([a, b, (a - b).abs()], dim=1))


@architecture
def siamese() -> nn.Module:
    return Siamese()


class GraphConv(nn.Module):
    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inside, outside)

    def forward(self, x: Tensor, adjacency: Tensor) -> Tensor:
        degree = adjacency.sum(-1, keepdim=True).clamp(min=1)
        return self.linear(adjacency @ x / degree)


class GCN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = GraphConv(7, 24)
        self.conv2 = GraphConv(24, 24)
        self.conv3 = GraphConv(24, 24)
        self.readout = nn.Sequential(nn.Linear(24 * 3, 16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, x: Tensor, adjacency: Tensor) -> Tensor:
        adjacency = adjacency.to(x.dtype)
        h1 = F.relu(self.conv1(x, adjacency))
        h2 = F.relu(self.conv2(h1, adjacency)) + h1
        h3 = F.relu(self.conv3(h2, adjacency)) + h2
        return self.readout(torch.cat([h1, h2, h3], dim=-1).mean(1))


@architecture
def graph_conv() -> nn.Module:
    return GCN()


class GraphAttention(nn.Module):
    def __init__(self, inside: int, outside: int, heads: int) -> None:
        super().__init__()
        self.heads, self.outside = heads, outside
        self.project = nn.Linear(inside, heads * outside, bias=False)
        self.left = nn.Parameter(torch.randn(heads, outside))
        self.right = nn.Parameter(torch.randn(heads, outside))
        self.skip = nn.Linear(inside, heads * outside)

    def forward(self, x: Tensor, adjacency: Tensor) -> Tensor:
        nodes = x.shape[0]
        h = self.project(x).view(nodes, self.heads, self.outside)
        scores = (h * self.left).sum(-1).unsqueeze(1) + (h * self.right).sum(-1).unsqueeze(0)
        scores = F.leaky_relu(scores, 0.2).masked_fill(adjacency.unsqueeze(-1) <= 0, -1e9)
        y = torch.einsum("ijh,jhd->ihd", scores.softmax(dim=1), h)
        return F.elu(y.reshape(nodes, -1) + self.skip(x))


class GAT(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = GraphAttention(9, 6, 4)
        self.second = GraphAttention(24, 3, 2)

    def forward(self, x: Tensor, adjacency: Tensor) -> Tensor:
        return self.second(self.first(x, adjacency), adjacency)


@architecture
def graph_attention() -> nn.Module:
    return GAT()


class PointNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.transform = nn.Sequential(
            nn.Conv1d(3, 32, 1), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(32, 9)
        )
        self.local = nn.Sequential(nn.Conv1d(3, 32, 1), nn.BatchNorm1d(32), nn.ReLU())
        self.wide = nn.Sequential(nn.Conv1d(32, 64, 1), nn.BatchNorm1d(64), nn.ReLU())
        self.segment = nn.Sequential(nn.Conv1d(96, 32, 1), nn.ReLU(), nn.Conv1d(32, 4, 1))

    def forward(self, points: Tensor) -> Tensor:
        matrix = self.transform(points).view(-1, 3, 3) + torch.eye(3)
        local = self.local(torch.bmm(matrix, points))
        overall = self.wide(local).max(dim=2, keepdim=True).values.expand(-1, -1, points.shape[2])
        return self.segment(torch.cat([local, overall], 1))


@architecture
def pointnet() -> nn.Module:
    return PointNet()


class TwoTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.user = nn.Embedding(50, 16)
        self.item = nn.Embedding(80, 16)
        self.user_tower = nn.Sequential(nn.Linear(16 + 5, 32), nn.ReLU(), nn.Linear(32, 16))
        self.item_tower = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))
        self.bias = nn.Embedding(80, 1)

    def forward(self, user: Tensor, profile: Tensor, item: Tensor) -> Tensor:
        u = self.user_tower(torch.cat([self.user(user), profile], dim=1))
        i = self.item_tower(self.item(item))
        return (u * i).sum(1) + self.bias(item).squeeze(1)


@architecture
def two_tower() -> nn.Module:
    return TwoTower()


class WideAndDeep(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(20, size) for size in (4, 8, 12))
        self.numbers = nn.BatchNorm1d(6)
        self.deep = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.BatchNorm1d(64), nn.Linear(64, 32), nn.ReLU())
        self.wide = nn.Linear(6, 32)
        self.out = nn.Linear(64, 1)

    def forward(self, categories: Tensor, numbers: Tensor) -> Tensor:
        embedded = [table(categories[:, i]) for i, table in enumerate(self.embeddings)]
        numbers = self.numbers(numbers)
        deep = self.deep(torch.cat([*embedded, numbers], dim=1))
        return self.out(torch.cat([deep, self.wide(numbers)], dim=1))


@architecture
def wide_and_deep() -> nn.Module:
    return WideAndDeep()


class ImageAndTable(nn.Module):
    """Late fusion by FiLM: the table scales and shifts the image's channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, stride=2, padding=1)
        self.table = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
        self.film = nn.Linear(32, 2 * 32)
        self.head = nn.Bilinear(32, 32, 5)

    def forward(self, image: Tensor, table: Tensor) -> Tensor:
        x = F.relu(self.conv2(F.relu(self.conv1(image))))
        t = self.table(table)
        scale, shift = self.film(t).chunk(2, dim=1)
        x = x * scale[:, :, None, None] + shift[:, :, None, None]
        return self.head(x.mean(dim=(2, 3)), t)


@architecture
def film_fusion() -> nn.Module:
    return ImageAndTable()


class DuelingQ(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(4, 32, 8, stride=4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(),
        )
        self.advantage = nn.Sequential(nn.Linear(64 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 6))
        self.value = nn.Sequential(nn.Linear(64 * 7 * 7, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, frames: Tensor) -> Tensor:
        x = self.features(frames).flatten(1)
        advantage = self.advantage(x)
        return self.value(x) + advantage - advantage.mean(1, keepdim=True)


@architecture
def dueling_q() -> nn.Module:
    return DuelingQ()


class AudioTagger(nn.Module):
    """Convolutions on a spectrogram, then a recurrent layer over time."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d((2, 1)),
            nn.Conv2d(16, 32, 3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d((4, 2)),
        )
        self.rnn = nn.LSTM(32 * 5, 40, bidirectional=True, batch_first=True)
        self.head = nn.Linear(80, 12)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.convs(mel)
        batch, channels, bands, time = x.shape
        x = x.permute(0, 3, 1, 2).reshape(batch, time, channels * bands)
        hidden, _ = self.rnn(x)
        return self.head(hidden.mean(dim=1))


@architecture
def audio_crnn() -> nn.Module:
    return AudioTagger()
