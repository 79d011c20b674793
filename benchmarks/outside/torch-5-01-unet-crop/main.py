"""Cell segmentation with a small U-Net on random crops of the big microscopy tiles."""
import random

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader

CFG = {
    "lr": 1e-3,
    "epochs": 1,
    "batch_size": 4,
    "crop": 100,
    "base": 8,
    "n_classes": 2,
}


class CellTiles(Dataset):
    def __init__(self, n=12, crop=96):
        rng = np.random.default_rng(0)
        self.imgs = rng.random((n, 160, 160), dtype=np.float32)
        self.masks = (self.imgs > 0.6).astype(np.int64)
        self.crop = crop

    def __len__(self):
        return len(self.imgs)

    def __getitem__(self, i):
        y = random.randint(0, 160 - self.crop)
        x = random.randint(0, 160 - self.crop)
        img = self.imgs[i, y:y + self.crop, x:x + self.crop]
        msk = self.masks[i, y:y + self.crop, x:x + self.crop]
        return torch.from_numpy(img.copy()).unsqueeze(0), torch.from_numpy(msk.copy())


def double_conv(cin, cout):
    return nn.Sequential(
        nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True),
        nn.Conv2d(cout, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU(inplace=True),
    )


class Up(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.up = nn.ConvTranspose2d(cin, cin // 2, kernel_size=2, stride=2)
        self.conv = double_conv(cin, cout)

    def forward(self, x, skip):
        x = self.up(x)
        return self.conv(torch.cat([skip, x], dim=1))


class UNet(nn.Module):
    def __init__(self, base, n_classes):
        super().__init__()
        b = base
        self.inc = double_conv(1, b)
        self.down1 = double_conv(b, b * 2)
        self.down2 = double_conv(b * 2, b * 4)
        self.down3 = double_conv(b * 4, b * 8)
        self.pool = nn.MaxPool2d(2)
        self.up1 = Up(b * 8, b * 4)
        self.up2 = Up(b * 4, b * 2)
        self.up3 = Up(b * 2, b)
        self.head = nn.Conv2d(b, n_classes, 1)

    def forward(self, x):
        c1 = self.inc(x)
        c2 = self.down1(self.pool(c1))
        c3 = self.down2(self.pool(c2))
        c4 = self.down3(self.pool(c3))
        x = self.up1(c4, c3)
        x = self.up2(x, c2)
        x = self.up3(x, c1)
        return self.head(x)


def dice(logits, target):
    p = logits.softmax(1)[:, 1]
    t = target.float()
    inter = (p * t).sum()
    return 2 * inter / (p.sum() + t.sum() + 1e-6)


if __name__ == "__main__":
    torch.manual_seed(0)
    random.seed(0)
    loader = DataLoader(CellTiles(crop=CFG["crop"]), batch_size=CFG["batch_size"], shuffle=True)
    net = UNet(CFG["base"], CFG["n_classes"])
    opt = torch.optim.Adam(net.parameters(), lr=CFG["lr"])
    for epoch in range(CFG["epochs"]):
        for img, msk in loader:
            logits = net(img)
            loss = F.cross_entropy(logits, msk) + 1 - dice(logits, msk)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {epoch}: loss {loss.item():.4f}")
