"""Anchor-free detector with a feature pyramid; one training step on fake images of mixed sizes."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader

NUM_CLASSES = 4
FPN_DIM = 32
SIZE_DIVISOR = 16
STRIDES = [4, 8, 16, 32]


class FakeCoco(Dataset):
    sizes = [(96, 120), (100, 140), (80, 128), (110, 100)]

    def __len__(self):
        return len(self.sizes)

    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        h, w = self.sizes[i]
        img = torch.rand(3, h, w, generator=g)
        n = 1 + i % 3
        cx = torch.rand(n, generator=g) * w
        cy = torch.rand(n, generator=g) * h
        wh = 10 + torch.rand(n, 2, generator=g) * 30
        boxes = torch.stack([cx, cy, wh[:, 0], wh[:, 1]], dim=1)
        labels = torch.randint(NUM_CLASSES, (n,), generator=g)
        return img, boxes, labels


def collate(samples):
    """Pad all images of a batch to a common size, bottom right."""
    imgs, boxes, labels = zip(*samples)
    h = max(i.shape[1] for i in imgs)
    w = max(i.shape[2] for i in imgs)
    h = math.ceil(h / SIZE_DIVISOR) * SIZE_DIVISOR
    w = math.ceil(w / SIZE_DIVISOR) * SIZE_DIVISOR
    batch = torch.zeros(len(imgs), 3, h, w)
    for b, im in zip(batch, imgs):
        b[:, :im.shape[1], :im.shape[2]].copy_(im)
    return batch, list(boxes), list(labels)


class Stage(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(
            nn.Conv2d(cin, cout, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(cout),
            nn.ReLU(),
            nn.Conv2d(cout, cout, 3, padding=1, bias=False),
            nn.BatchNorm2d(cout),
            nn.ReLU(),
        )


class Backbone(nn.Module):
    channels = [16, 32, 64, 128]

    def __init__(self):
        super().__init__()
        self.stem = Stage(3, 16)
        cin = 16
        self.stages = nn.ModuleList()
        for c in self.channels:
            self.stages.append(Stage(cin, c))
            cin = c

    def forward(self, x):
        x = self.stem(x)
        outs = []
        for s in self.stages:
            x = s(x)
            outs.append(x)
        return outs


class FPN(nn.Module):
    def __init__(self, channels, dim):
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(c, dim, 1) for c in channels])
        self.smooth = nn.ModuleList([nn.Conv2d(dim, dim, 3, padding=1) for _ in channels])

    def forward(self, feats):
        lat = [l(f) for l, f in zip(self.lateral, feats)]
        for i in range(len(lat) - 1, 0, -1):
            lat[i - 1] = lat[i - 1] + F.interpolate(lat[i], scale_factor=2, mode='nearest')
        return [s(x) for s, x in zip(self.smooth, lat)]


class Head(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1), nn.ReLU())
        self.cls = nn.Conv2d(dim, NUM_CLASSES, 3, padding=1)
        self.reg = nn.Conv2d(dim, 4, 3, padding=1)
        nn.init.constant_(self.cls.bias, -math.log(99))

    def forward(self, feats):
        cls, reg = [], []
        for f in feats:
            t = self.tower(f)
            cls.append(self.cls(t).flatten(2).transpose(1, 2))
            reg.append(self.reg(t).flatten(2).transpose(1, 2))
        return torch.cat(cls, 1), torch.cat(reg, 1)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = Backbone()
        self.neck = FPN(self.backbone.channels, FPN_DIM)
        self.head = Head(FPN_DIM)

    def forward(self, x):
        feats = self.neck(self.backbone(x))
        return self.head(feats), [f.shape[-2:] for f in feats]


def locations(shapes):
    pts = []
    for (h, w), s in zip(shapes, STRIDES):
        yy, xx = torch.meshgrid(torch.arange(h), torch.arange(w), indexing='ij')
        pts.append(torch.stack([xx, yy], -1).reshape(-1, 2) * s + s // 2)
    return torch.cat(pts).float()


def loss_fn(cls, reg, pts, boxes, labels):
    total = 0.
    for c, r, bx, lb in zip(cls, reg, boxes, labels):
        d = (pts[:, None] - bx[None, :, :2]).abs()
        inside = (d < bx[None, :, 2:] / 2).all(-1)
        hit, which = inside.float().max(1)
        tgt = torch.zeros_like(c)
        pos = hit.bool()
        tgt[pos, lb[which[pos]]] = 1.
        total = total + F.binary_cross_entropy_with_logits(c, tgt)
        if pos.any():
            m = bx[which[pos]]
            want = torch.cat([(m[:, :2] - pts[pos]) / 16, (m[:, 2:] / 16).log()], 1)
            total = total + F.smooth_l1_loss(r[pos], want)
    return total / len(boxes)


def main():
    torch.manual_seed(5)
    dl = DataLoader(FakeCoco(), batch_size=2, shuffle=False, collate_fn=collate)
    det = Detector()
    opt = torch.optim.SGD(det.parameters(), lr=0.01, momentum=0.9)
    for it, (x, boxes, labels) in enumerate(dl):
        (cls, reg), shapes = det(x)
        loss = loss_fn(cls, reg, locations(shapes), boxes, labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
        print(f'[{it}] batch {tuple(x.shape)} anchors {cls.shape[1]} loss {float(loss.detach()):.4f}')


if __name__ == '__main__':
    main()
