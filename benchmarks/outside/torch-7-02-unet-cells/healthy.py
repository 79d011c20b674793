import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)

EPOCHS = 1
LR = 1e-3
N_CLASSES = 3


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.conv(x)


class UNET(nn.Module):
    def __init__(self, in_channels=1, out_channels=N_CLASSES, features=[8, 16, 32, 64]):
        super().__init__()
        self.ups = nn.ModuleList()
        self.downs = nn.ModuleList()
        self.pool = nn.MaxPool2d(2, 2)

        for feature in features:
            self.downs.append(DoubleConv(in_channels, feature))
            in_channels = feature

        for feature in reversed(features):
            self.ups.append(nn.ConvTranspose2d(feature * 2, feature, kernel_size=2, stride=2))
            self.ups.append(DoubleConv(feature * 2, feature))

        self.bottleneck = DoubleConv(features[-1], features[-1] * 2)
        self.final_conv = nn.Conv2d(features[0], out_channels, kernel_size=1)

    def forward(self, x):
        skip_connections = []
        for down in self.downs:
            x = down(x)
            skip_connections.append(x)
            x = self.pool(x)

        x = self.bottleneck(x)
        skip_connections = skip_connections[::-1]

        for idx in range(0, len(self.ups), 2):
            x = self.ups[idx](x)
            skip = skip_connections[idx // 2]
            x = torch.cat((skip, x), dim=1)
            x = self.ups[idx + 1](x)

        return self.final_conv(x)


def dice_score(logits, masks, eps=1e-6):
    probs = F.softmax(logits, dim=1)
    onehot = F.one_hot(masks, N_CLASSES).permute(0, 3, 1, 2).float()
    inter = (probs * onehot).sum(dim=(2, 3))
    union = probs.sum(dim=(2, 3)) + onehot.sum(dim=(2, 3))
    return ((2 * inter + eps) / (union + eps)).mean()


def get_loaders():
    images = torch.rand(20, 1, 96, 96)
    masks = (images.squeeze(1) * N_CLASSES).long().clamp(max=N_CLASSES - 1)
    train = TensorDataset(images[:14], masks[:14])
    val = TensorDataset(images[14:], masks[14:])
    return DataLoader(train, batch_size=4, shuffle=True), DataLoader(val, batch_size=4)


def train_fn(loader, model, optimizer, loss_fn):
    model.train()
    total = 0.0
    for data, targets in loader:
        predictions = model(data)
        loss = loss_fn(predictions, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


def evaluate(loader, model):
    model.eval()
    with torch.no_grad():
        scores = [dice_score(model(x), y) for x, y in loader]
    return torch.stack(scores).mean().item()


if __name__ == "__main__":
    train_loader, val_loader = get_loaders()
    model = UNET()
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    loss_fn = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        tr = train_fn(train_loader, model, optimizer, loss_fn)
        print(f"[{epoch}] loss={tr:.4f} dice={evaluate(val_loader, model):.4f}")
