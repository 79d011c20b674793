import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

cfg = {
    "img": {"channels": [3, 16, 32, 64], "dim": 64},
    "txt": {"vocab": 500, "emb": 50, "dim": 80},
    "meta": {"n": 9},
    "hidden": 128,
    "n_classes": 6,
    "batch": 20,
    "epochs": 2,
}


class ProductListings(Dataset):
    """Image + title + numeric attributes -> product category."""

    def __init__(self, n):
        g = torch.Generator().manual_seed(n)
        self.img = torch.rand(n, 3, 48, 48, generator=g)
        self.title = torch.randint(1, cfg["txt"]["vocab"], (n, 14), generator=g)
        self.meta = torch.randn(n, cfg["meta"]["n"], generator=g)
        self.label = torch.randint(cfg["n_classes"], (n,), generator=g)

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return {"img": self.img[i], "title": self.title[i], "meta": self.meta[i]}, self.label[i]


class ImageEncoder(nn.Module):
    def __init__(self, channels):
        super().__init__()
        layers = []
        for a, b in zip(channels[:-1], channels[1:]):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(self, x):
        return self.body(x)


class TextEncoder(nn.Module):
    def __init__(self, vocab, emb, dim):
        super().__init__()
        self.emb = nn.Embedding(vocab, emb, padding_idx=0)
        self.gru = nn.GRU(emb, dim // 2, batch_first=True, bidirectional=True)

    def forward(self, ids):
        _, h = self.gru(self.emb(ids))
        return torch.cat([h[0], h[1]], dim=-1)


class GatedFusion(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.img_proj = nn.Linear(cfg["img"]["dim"], cfg["hidden"])
        self.txt_proj = nn.Linear(cfg["txt"]["dim"], cfg["txt"]["dim"])
        self.gate = nn.Sequential(
            nn.Linear(cfg["img"]["dim"] + cfg["txt"]["dim"], cfg["hidden"]), nn.Sigmoid()
        )

    def forward(self, img, txt):
        z = self.gate(torch.cat([img, txt], dim=-1))
        hi = torch.tanh(self.img_proj(img))
        ht = torch.tanh(self.txt_proj(txt))
        return z * hi + (1 - z) * ht


class Classifier(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.image = ImageEncoder(cfg["img"]["channels"])
        self.text = TextEncoder(**cfg["txt"])
        self.fusion = GatedFusion(cfg)
        self.meta = nn.Sequential(nn.Linear(cfg["meta"]["n"], 16), nn.ReLU())
        self.head = nn.Sequential(
            nn.LayerNorm(cfg["hidden"] + 16), nn.Dropout(0.2), nn.Linear(cfg["hidden"] + 16, cfg["n_classes"])
        )

    def forward(self, inputs):
        fused = self.fusion(self.image(inputs["img"]), self.text(inputs["title"]))
        return self.head(torch.cat([fused, self.meta(inputs["meta"])], dim=1))


def main():
    torch.manual_seed(0)
    train = DataLoader(ProductListings(90), cfg["batch"], shuffle=True)
    test = DataLoader(ProductListings(30), cfg["batch"])
    model = Classifier(cfg)
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(cfg["epochs"]):
        model.train()
        for inputs, label in train:
            loss = criterion(model(inputs), label)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
        model.eval()
        with torch.inference_mode():
            correct = sum((model(i).argmax(1) == y).sum().item() for i, y in test)
        print(f"epoch {epoch}: loss {loss.item():.3f}, acc {correct / len(test.dataset):.3f}")


if __name__ == "__main__":
    main()
