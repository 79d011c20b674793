import os
import tempfile

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CKPT = os.path.join(tempfile.mkdtemp(), "pretrained_birds.pth")


class DWConv(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.dw = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
        self.pw = nn.Conv2d(c_in, c_out, 1, bias=False)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x):
        return torch.relu(self.bn(self.pw(self.dw(x))))


class MobileTiny(nn.Module):
    def __init__(self, num_classes=20, width=1.0):
        super().__init__()
        c = [int(v * width) for v in (16, 32, 64)]
        self.backbone = nn.Sequential(
            nn.Conv2d(3, c[0], 3, 2, 1, bias=False), nn.BatchNorm2d(c[0]), nn.ReLU(),
            DWConv(c[0], c[1], 2), DWConv(c[1], c[2], 2), DWConv(c[2], c[2], 1),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(c[2], num_classes))

    def forward(self, x):
        return self.classifier(self.backbone(x))


def fit(model, loader, lr, epochs=1, tag=""):
    params = [p for p in model.parameters() if p.requires_grad]
    optim = torch.optim.SGD(params, lr=lr, momentum=0.9)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
    for e in range(epochs):
        for x, y in loader:
            loss = loss_fn(model(x), y)
            optim.zero_grad()
            loss.backward()
            optim.step()
        print(f"{tag} epoch {e} loss {loss.item():.3f}")


def fake_loader(n, n_cls, size=64):
    return DataLoader(TensorDataset(torch.randn(n, 3, size, size), torch.randint(n_cls, (n,))), batch_size=8)


def pretrain():
    model = MobileTiny(num_classes=20)
    fit(model, fake_loader(32, 20), 0.05, tag="pretrain")
    torch.save({"epoch": 1, "state_dict": model.state_dict()}, CKPT)


def finetune(n_classes=6):
    model = MobileTiny(num_classes=n_classes)
    ckpt = torch.load(CKPT, map_location="cpu")
    state = ckpt["state_dict"]
    missing, unexpected = model.load_state_dict(state, strict=False)
    print("missing:", missing, "unexpected:", unexpected)
    for p in model.backbone.parameters():
        p.requires_grad = False
    fit(model, fake_loader(24, n_classes), 0.01, epochs=2, tag="finetune")
    return model


if __name__ == "__main__":
    torch.manual_seed(7)
    pretrain()
    m = finetune()
    m.eval()
    with torch.no_grad():
        print(m(torch.randn(2, 3, 64, 64)).argmax(1))
