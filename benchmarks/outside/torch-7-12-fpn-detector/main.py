import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Drones(Dataset):
    """300x300 frames; the target is an objectness map per pyramid level, made on the fly."""

    def __init__(self, n=12, size=300):
        self.n, self.size = n, size

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        img = torch.rand(3, self.size, self.size, generator=g)
        center = torch.rand(2, generator=g)
        wh = 0.1 + 0.3 * torch.rand(2, generator=g)
        return img, torch.cat([center, wh])


def cbr(c_in, c_out, stride=1):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(inplace=True),
    )


class Backbone(nn.Module):
    def __init__(self, widths=(8, 16, 32, 64)):
        super().__init__()
        self.stem = nn.Sequential(cbr(3, widths[0], 2), cbr(widths[0], widths[0], 2))
        self.stages = nn.ModuleList(
            nn.Sequential(cbr(a, b, 2), cbr(b, b)) for a, b in zip(widths[:-1], widths[1:])
        )
        self.out_channels = list(widths[1:])

    def forward(self, x):
        x = self.stem(x)
        feats = []
        for stage in self.stages:
            x = stage(x)
            feats.append(x)
        return feats


class FPN(nn.Module):
    def __init__(self, in_channels, dim=32):
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, dim, 1) for c in in_channels)
        self.smooth = nn.ModuleList(nn.Conv2d(dim, dim, 3, padding=1) for _ in in_channels)

    def forward(self, feats):
        lats = [l(f) for l, f in zip(self.lateral, feats)]
        p = lats[-1]
        outs = [p]
        for lat in reversed(lats[:-1]):
            p = lat + F.interpolate(p, scale_factor=2, mode="nearest")
            outs.insert(0, p)
        return [s(o) for s, o in zip(self.smooth, outs)]


class Detector(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.backbone = Backbone()
        self.fpn = FPN(self.backbone.out_channels, dim)
        self.obj = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1), nn.ReLU(), nn.Conv2d(dim, 1, 1))
        self.box = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1), nn.ReLU(), nn.Conv2d(dim, 4, 1))

    def forward(self, x):
        objs, boxes = [], []
        for p in self.fpn(self.backbone(x)):
            objs.append(self.obj(p))
            boxes.append(self.box(p))
        return objs, boxes


def level_targets(target, h, w):
    """one-hot cell index of the object's centre."""
    col = (target[:, 0] * w).long().clamp(max=w - 1)
    row = (target[:, 1] * h).long().clamp(max=h - 1)
    return row * w + col


def detection_loss(objs, boxes, target):
    loss = 0.0
    for o, b in zip(objs, boxes):
        h, w = o.shape[-2:]
        idx = level_targets(target, h, w)
        loss = loss + F.cross_entropy(o.flatten(1), idx)
        picked = b.flatten(2)[torch.arange(len(idx)), :, idx]
        loss = loss + F.smooth_l1_loss(picked, target)
    return loss / len(objs)


def main():
    torch.manual_seed(0)
    loader = DataLoader(Drones(), batch_size=4, shuffle=True)
    model = Detector()
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for epoch in range(2):
        for img, target in loader:
            objs, boxes = model(img)
            loss = detection_loss(objs, boxes, target)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
