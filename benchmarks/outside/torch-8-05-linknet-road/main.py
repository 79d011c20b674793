# road segmentation, LinkNet style (adds the skips instead of concatenating)
import torch
import torch.nn as nn

torch.manual_seed(0)

WIDTHS = [16, 24, 48, 96]


def cbr(i, o, k=3, s=1):
    return nn.Sequential(
        nn.Conv2d(i, o, k, s, k // 2, bias=False),
        nn.BatchNorm2d(o),
        nn.ReLU(inplace=True),
    )


class Res(nn.Module):
    def __init__(self, i, o, s=1):
        super().__init__()
        self.a = cbr(i, o, 3, s)
        self.b = nn.Sequential(nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o))
        self.down = nn.Conv2d(i, o, 1, s, bias=False) if (i != o or s > 1) else nn.Identity()

    def forward(self, x):
        return torch.relu(self.b(self.a(x)) + self.down(x))


class Dec(nn.Module):
    # 1x1 reduce, x2 transposed, 1x1 expand
    def __init__(self, i, o):
        super().__init__()
        m = i // 4
        self.reduce = cbr(i, m, 1)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(m, m, 3, stride=2, padding=1, output_padding=1, bias=False),
            nn.BatchNorm2d(m),
            nn.ReLU(inplace=True),
        )
        self.expand = cbr(m, o, 1)

    def forward(self, x):
        return self.expand(self.up(self.reduce(x)))


class LinkNet(nn.Module):
    def __init__(self, w=WIDTHS, classes=1):
        super().__init__()
        self.stem = cbr(3, w[0], 7, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        enc, dec = [], []
        prev = w[0]
        for n, width in enumerate(w):
            enc.append(nn.Sequential(Res(prev, width, 1 if n == 0 else 2), Res(width, width)))
            dec.insert(0, Dec(width, prev))
            prev = width
        self.enc = nn.ModuleList(enc)
        self.dec = nn.ModuleList(dec)
        self.final = nn.Sequential(
            nn.ConvTranspose2d(w[0], w[0] // 2, 4, 2, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(w[0] // 2, classes, 3, padding=1),
        )

    def forward(self, x):
        x = self.stem(x)
        x = self.pool(x)
        links = [x]
        for stage in self.enc:
            x = stage(x)
            links.append(x)
        links.pop()
        for d in self.dec:
            x = d(x) + links.pop()
        return self.final(x)


def bce_dice(logit, mask):
    p = torch.sigmoid(logit)
    dice = 1 - (2 * (p * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
    return nn.functional.binary_cross_entropy_with_logits(logit, mask) + dice


tiles = torch.rand(8, 3, 96, 128)
masks = (torch.rand(8, 1, 96, 128) > 0.8).float()

model = LinkNet()
optim = torch.optim.RMSprop(model.parameters(), lr=5e-4)

for epoch in range(1):
    for k in range(0, len(tiles), 4):
        img, msk = tiles[k:k + 4], masks[k:k + 4]
        out = model(img)
        loss = bce_dice(out, msk)
        optim.zero_grad()
        loss.backward()
        optim.step()
        print('epoch', epoch, 'batch', k // 4, 'loss', round(loss.item(), 4))

model.eval()
with torch.no_grad():
    pred = model(tiles[:1]).sigmoid() > 0.5
print('road pixels:', int(pred.sum()))
