import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

# Hyperparameters
LEARNING_RATE = 1e-4
BATCH_SIZE = 4
NUM_EPOCHS = 1
IMAGE_HEIGHT = 80   # 1280 originally
IMAGE_WIDTH = 120   # 1918 originally


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super(DoubleConv, self).__init__()
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
    def __init__(self, in_channels=3, out_channels=1, features=[8, 16, 32, 64]):
        super(UNET, self).__init__()
        self.ups = nn.ModuleList()
        self.downs = nn.ModuleList()
        self.pool = nn.MaxPool2d(kernel_size=2, stride=2)

        # Down part of UNET
        for feature in features:
            self.downs.append(DoubleConv(in_channels, feature))
            in_channels = feature

        # Up part of UNET
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
            skip_connection = skip_connections[idx // 2]
            concat_skip = torch.cat((skip_connection, x), dim=1)
            x = self.ups[idx + 1](concat_skip)

        return self.final_conv(x)


class CarvanaDataset(Dataset):
    def __init__(self, n):
        self.n = n
        self.img = torch.rand(n, 3, IMAGE_HEIGHT, IMAGE_WIDTH)
        self.mask = (torch.rand(n, IMAGE_HEIGHT, IMAGE_WIDTH) > 0.5).float()

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        return self.img[index], self.mask[index]


def train_fn(loader, model, optimizer, loss_fn):
    for batch_idx, (data, targets) in enumerate(loader):
        targets = targets.unsqueeze(1)
        predictions = model(data)
        loss = loss_fn(predictions, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"batch {batch_idx} loss {loss.item():.4f}")


def check_accuracy(loader, model):
    model.eval()
    inter = union = 0
    with torch.no_grad():
        for x, y in loader:
            y = y.unsqueeze(1)
            preds = (torch.sigmoid(model(x)) > 0.5).float()
            inter += (preds * y).sum()
            union += (preds + y).sum()
    print(f"Dice score: {(2 * inter / (union + 1e-8)).item():.3f}")
    model.train()


def main():
    torch.manual_seed(0)
    model = UNET()
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    train_loader = DataLoader(CarvanaDataset(8), batch_size=BATCH_SIZE, shuffle=True)
    val_loader = DataLoader(CarvanaDataset(4), batch_size=BATCH_SIZE)
    for epoch in range(NUM_EPOCHS):
        train_fn(train_loader, model, optimizer, loss_fn)
        check_accuracy(val_loader, model)


if __name__ == "__main__":
    main()
