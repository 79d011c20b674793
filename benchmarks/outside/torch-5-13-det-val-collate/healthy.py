import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader, Subset

S = 4          # grid
NUM_CLS = 3
IMG = 64


class Shapes(Dataset):
    """images with 1..4 boxes, target dict like torchvision detection"""

    def __init__(self, n=40):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, idx):
        g = torch.Generator().manual_seed(idx)
        img = torch.rand(3, IMG, IMG, generator=g)
        k = int(torch.randint(1, 5, (1,), generator=g))
        xy = torch.rand(k, 2, generator=g) * (IMG - 16)
        wh = 8 + torch.rand(k, 2, generator=g) * 8
        boxes = torch.cat([xy, xy + wh], dim=1)
        labels = torch.randint(NUM_CLS, (k,), generator=g)
        return img, {"boxes": boxes, "labels": labels}


def collate_fn(batch):
    imgs, targets = zip(*batch)
    return torch.stack(imgs), list(targets)


class YoloTiny(nn.Module):
    def __init__(self):
        super().__init__()
        layers, c = [], 3
        for o in (8, 16, 32, 32):
            layers += [nn.Conv2d(c, o, 3, 2, 1), nn.BatchNorm2d(o), nn.LeakyReLU(0.1)]
            c = o
        self.backbone = nn.Sequential(*layers)
        self.head = nn.Conv2d(c, 5 + NUM_CLS, 1)

    def forward(self, x):
        return self.head(self.backbone(x)).permute(0, 2, 3, 1)


def build_targets(targets):
    t = torch.zeros(len(targets), S, S, 5 + NUM_CLS)
    cell = IMG / S
    for b, tgt in enumerate(targets):
        for box, lab in zip(tgt["boxes"], tgt["labels"]):
            cx, cy = (box[:2] + box[2:]) / 2
            w, h = box[2:] - box[:2]
            i, j = int(cy // cell), int(cx // cell)
            t[b, i, j, 0] = 1
            t[b, i, j, 1:5] = torch.stack([cx / cell - j, cy / cell - i, w / IMG, h / IMG])
            t[b, i, j, 5 + lab] = 1
    return t


def yolo_loss(pred, tgt):
    obj = tgt[..., 0] == 1
    l_obj = nn.functional.binary_cross_entropy_with_logits(pred[..., 0], tgt[..., 0])
    l_box = nn.functional.mse_loss(pred[..., 1:5][obj], tgt[..., 1:5][obj])
    l_cls = nn.functional.cross_entropy(pred[..., 5:][obj], tgt[..., 5:][obj].argmax(-1))
    return l_obj + 5 * l_box + l_cls


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    total = 0.0
    for images, targets in loader:
        total += yolo_loss(model(images), build_targets(targets)).item()
    return total / len(loader)


def main(epochs=2, bs=8):
    torch.manual_seed(0)
    ds = Shapes()
    train_set = Subset(ds, range(0, 32))
    val_set = Subset(ds, range(32, 40))
    train_loader = DataLoader(train_set, batch_size=bs, shuffle=True, collate_fn=collate_fn)
    val_loader = DataLoader(val_set, batch_size=bs // 2, shuffle=False, collate_fn=collate_fn)
    model = YoloTiny()
    opt = torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
    for ep in range(epochs):
        model.train()
        for images, targets in train_loader:
            loss = yolo_loss(model(images), build_targets(targets))
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"ep {ep} train {loss.item():.3f} val {evaluate(model, val_loader):.3f}")


if __name__ == "__main__":
    main()
