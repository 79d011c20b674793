import torch, torch.nn as nn, torch.nn.functional as F
import numpy as np
from torch.utils.data import Dataset, DataLoader

N_CLASSES = 4   # background, road, building, water


class SatTiles(Dataset):
    def __init__(self, n_tiles, seed=0):
        r = np.random.RandomState(seed)
        self.tiles = r.randint(0, 255, size=(n_tiles, 48, 48, 3), dtype=np.uint8)
        self.masks = r.randint(0, N_CLASSES, size=(n_tiles, 48, 48)).astype(np.uint8)

    def __len__(self):
        return len(self.tiles)

    def __getitem__(self, i):
        img = self.tiles[i].astype(np.float32) / 255.
        mask = self.masks[i]
        if np.random.rand() < 0.5:           # random h flip
            img = img[:, ::-1].copy()
            mask = mask[:, ::-1].copy()
        img = torch.from_numpy(img).permute(2, 0, 1)
        mask = torch.from_numpy(mask).long()
        return img, mask


def cbr(i, o, s=1):
    return nn.Sequential(nn.Conv2d(i, o, 3, stride=s, padding=1), nn.BatchNorm2d(o), nn.ReLU())


class MiniFCN(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.enc1 = cbr(3, 16)
        self.enc2 = cbr(16, 32, 2)
        self.enc3 = cbr(32, 64, 2)
        self.lat = nn.Conv2d(32, 64, 1)
        self.head = nn.Conv2d(64, n_classes, 1)

    def forward(self, x):
        size = x.shape[-2:]
        e2 = self.enc2(self.enc1(x))
        e3 = self.enc3(e2)
        up = F.interpolate(e3, size=e2.shape[-2:], mode='bilinear', align_corners=False)
        y = self.head(up + self.lat(e2))
        return F.interpolate(y, size=size, mode='bilinear', align_corners=False)


def mean_iou(pred, gt):
    ious = []
    for c in range(N_CLASSES):
        p, g = pred == c, gt == c
        u = (p | g).sum().item()
        if u:
            ious.append((p & g).sum().item() / u)
    return float(np.mean(ious))


if __name__ == '__main__':
    torch.manual_seed(3)
    dl = DataLoader(SatTiles(24), batch_size=6, shuffle=True, drop_last=True)
    vdl = DataLoader(SatTiles(6, seed=1), batch_size=3)
    net = MiniFCN(N_CLASSES)
    opt = torch.optim.AdamW(net.parameters(), lr=3e-4)
    w = torch.tensor([0.5, 1., 1., 2.])
    for ep in range(2):
        net.train()
        tot = 0
        for img, mask in dl:
            logits = net(img)
            loss = F.cross_entropy(logits, mask, weight=w)
            opt.zero_grad(); loss.backward(); opt.step()
            tot += loss.item()
        net.eval()
        with torch.no_grad():
            m = np.mean([mean_iou(net(a).argmax(1), b) for a, b in vdl])
        print(ep, round(tot / len(dl), 4), 'mIoU', round(m, 4))
