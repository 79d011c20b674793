import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch.utils.data import Dataset, DataLoader

CLASSES = ["background", "building", "road", "water"]


def to_tensor(pic):
    arr = np.asarray(pic)
    if arr.ndim == 2:
        arr = arr[:, :, None]
    t = torch.from_numpy(arr.copy()).permute(2, 0, 1)
    return t.float().div(255) if t.dtype == torch.uint8 and t.shape[0] == 3 else t


class LandCover(Dataset):
    def __init__(self, n, size=64, augment=False):
        self.n, self.size, self.augment = n, size, augment

    def _draw(self, i):
        rng = np.random.default_rng(i)
        img = Image.new("RGB", (self.size, self.size), (40, 120, 40))
        mask = Image.new("L", (self.size, self.size), 0)
        for c in range(1, len(CLASSES)):
            x0, y0 = rng.integers(0, self.size - 20, 2).tolist()
            box = [x0, y0, x0 + 15, y0 + 15]
            ImageDraw.Draw(img).rectangle(box, fill=(60 * c, 200 - 40 * c, 80))
            ImageDraw.Draw(mask).rectangle(box, fill=c)
        return img, mask

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        img, mask = self._draw(i)
        if self.augment and np.random.rand() < 0.5:
            img = img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        return to_tensor(img), to_tensor(mask).long()


class ASPP(nn.Module):
    def __init__(self, cin, cout, rates=(1, 2, 4)):
        super().__init__()
        self.branches = nn.ModuleList([nn.Conv2d(cin, cout, 3, padding=r, dilation=r) for r in rates])
        self.project = nn.Conv2d(cout * len(rates), cout, 1)

    def forward(self, x):
        return F.relu(self.project(torch.cat([F.relu(b(x)) for b in self.branches], 1)))


class MiniDeepLab(nn.Module):
    def __init__(self, n_classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
                                  nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU())
        self.aspp = ASPP(32, 32)
        self.classifier = nn.Conv2d(32, n_classes, 1)

    def forward(self, x):
        size = x.shape[-2:]
        y = self.classifier(self.aspp(self.stem(x)))
        return F.interpolate(y, size=size, mode="bilinear", align_corners=False)


def mean_iou(pred, target, n):
    ious = []
    for c in range(n):
        p, t = pred == c, target == c
        u = (p | t).sum().item()
        if u:
            ious.append((p & t).sum().item() / u)
    return float(np.mean(ious))


def main():
    np.random.seed(0)
    torch.manual_seed(0)
    train_dl = DataLoader(LandCover(12, augment=True), batch_size=4, shuffle=True)
    val_dl = DataLoader(LandCover(8), batch_size=4)
    model = MiniDeepLab(len(CLASSES))
    criterion = nn.CrossEntropyLoss(weight=torch.tensor([0.4, 1., 1., 1.]))
    optimizer = torch.optim.Adam(model.parameters(), 2e-3)
    for epoch in range(2):
        model.train()
        for x, y in train_dl:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            score = np.mean([mean_iou(model(x).argmax(1), y, len(CLASSES)) for x, y in val_dl])
        print(f"epoch {epoch} loss {loss.item():.3f} mIoU {score:.3f}")


if __name__ == "__main__":
    main()
