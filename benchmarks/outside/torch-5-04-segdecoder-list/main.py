import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class RoadDataset(Dataset):
    """Synthetic stand-in for the aerial road dataset (RGB, binary mask)."""

    def __init__(self, length=8, size=64):
        g = torch.Generator().manual_seed(1)
        self.x = torch.rand(length, 3, size, size, generator=g)
        self.y = (self.x.mean(1, keepdim=True) > 0.5).float()

    def __len__(self):
        return self.x.shape[0]

    def __getitem__(self, idx):
        return {"image": self.x[idx], "mask": self.y[idx]}


class ConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.LeakyReLU(0.1, inplace=True),
        )

    def forward(self, x):
        return self.net(x)


class Encoder(nn.Module):
    def __init__(self, in_channels, features):
        super().__init__()
        self.stages = nn.ModuleList()
        for f in features:
            self.stages.append(ConvBlock(in_channels, f))
            in_channels = f
        self.pool = nn.MaxPool2d(2, 2)

    def forward(self, x):
        skips = []
        for stage in self.stages:
            x = stage(x)
            skips.append(x)
            x = self.pool(x)
        return x, skips


class Decoder(nn.Module):
    def __init__(self, features, bottleneck_ch):
        super().__init__()
        self.ups = nn.ModuleList()
        self.blocks = nn.ModuleList()
        ch = bottleneck_ch
        for f in reversed(features):
            self.ups.append(nn.ConvTranspose2d(ch, f, 2, 2))
            self.blocks.append(ConvBlock(f * 2, f))
            ch = f

    def forward(self, x, skips):
        for up, block, skip in zip(self.ups, self.blocks, skips):
            x = up(x)
            x = torch.cat((skip, x), dim=1)
            x = block(x)
        return x


class RoadNet(nn.Module):
    def __init__(self, in_channels=3, out_channels=1, features=(8, 16, 32)):
        super().__init__()
        self.encoder = Encoder(in_channels, features)
        self.bottleneck = ConvBlock(features[-1], features[-1] * 2)
        self.decoder = Decoder(features, features[-1] * 2)
        self.final = nn.Conv2d(features[0], out_channels, 1)

    def forward(self, x):
        x, skips = self.encoder(x)
        x = self.bottleneck(x)
        x = self.decoder(x, skips)
        return self.final(x)


def iou(pred, mask):
    p = (pred.sigmoid() > 0.5)
    m = mask.bool()
    return ((p & m).sum() / ((p | m).sum() + 1e-6)).item()


def main():
    torch.manual_seed(3)
    loader = DataLoader(RoadDataset(), batch_size=2, shuffle=True)
    model = RoadNet()
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(2):
        running = 0.
        for batch in loader:
            pred = model(batch["image"])
            loss = loss_fn(pred, batch["mask"])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            running += loss.item()
        print("epoch", epoch, running / len(loader), "iou", iou(pred, batch["mask"]))


main()
