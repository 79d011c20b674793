import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset


class CTSlices(Dataset):
    """Abdominal CT slices with a binary pancreas mask."""

    def __init__(self, n):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        img = torch.randn(1, 64, 64, generator=g)
        mask = (img > 1.0).float()
        return img, mask


def conv_block(ch_in, ch_out):
    return nn.Sequential(
        nn.Conv2d(ch_in, ch_out, 3, padding=1, bias=True),
        nn.BatchNorm2d(ch_out),
        nn.ReLU(inplace=True),
        nn.Conv2d(ch_out, ch_out, 3, padding=1, bias=True),
        nn.BatchNorm2d(ch_out),
        nn.ReLU(inplace=True),
    )


def up_conv(ch_in, ch_out):
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(ch_in, ch_out, 3, padding=1),
        nn.BatchNorm2d(ch_out),
        nn.ReLU(inplace=True),
    )


class AttentionBlock(nn.Module):
    def __init__(self, F_g, F_l, F_int):
        super().__init__()
        self.W_g = nn.Sequential(nn.Conv2d(F_g, F_int, 1), nn.BatchNorm2d(F_int))
        self.W_x = nn.Sequential(nn.Conv2d(F_l, F_int, 1, stride=2), nn.BatchNorm2d(F_int))
        self.psi = nn.Sequential(nn.Conv2d(F_int, 1, 1), nn.BatchNorm2d(1), nn.Sigmoid())
        self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, g, x):
        g1 = self.W_g(g)
        x1 = self.W_x(x)
        psi = self.up(self.psi(self.relu(g1 + x1)))
        return x * psi


class AttU_Net(nn.Module):
    def __init__(self, img_ch=1, output_ch=1, base=8):
        super().__init__()
        c = [base, base * 2, base * 4, base * 8]
        self.pool = nn.MaxPool2d(2)
        self.conv1 = conv_block(img_ch, c[0])
        self.conv2 = conv_block(c[0], c[1])
        self.conv3 = conv_block(c[1], c[2])
        self.conv4 = conv_block(c[2], c[3])

        self.att4 = AttentionBlock(F_g=c[3], F_l=c[2], F_int=c[1])
        self.up4 = up_conv(c[3], c[2])
        self.up_conv4 = conv_block(c[2] * 2, c[2])

        self.att3 = AttentionBlock(F_g=c[2], F_l=c[1], F_int=c[0])
        self.up3 = up_conv(c[2], c[1])
        self.up_conv3 = conv_block(c[1] * 2, c[1])

        self.up2 = up_conv(c[1], c[0])
        self.up_conv2 = conv_block(c[0] * 2, c[0])
        self.out = nn.Conv2d(c[0], output_ch, 1)

    def forward(self, x):
        x1 = self.conv1(x)
        x2 = self.conv2(self.pool(x1))
        x3 = self.conv3(self.pool(x2))
        x4 = self.conv4(self.pool(x3))

        a3 = self.att4(g=x4, x=x3)
        d4 = self.up_conv4(torch.cat([a3, self.up4(x4)], dim=1))

        a2 = self.att3(g=d4, x=x2)
        d3 = self.up_conv3(torch.cat([a2, self.up3(d4)], dim=1))

        d2 = self.up_conv2(torch.cat([x1, self.up2(d3)], dim=1))
        return self.out(d2)


def dice_loss(logits, target, smooth=1.0):
    p = torch.sigmoid(logits).flatten(1)
    t = target.flatten(1)
    inter = (p * t).sum(1)
    return 1 - ((2 * inter + smooth) / (p.sum(1) + t.sum(1) + smooth)).mean()


def main():
    torch.manual_seed(0)
    loader = DataLoader(CTSlices(12), batch_size=6, shuffle=True)
    model = AttU_Net()
    opt = torch.optim.Adam(model.parameters(), lr=2e-4, betas=(0.5, 0.999))
    bce = nn.BCEWithLogitsLoss()
    for epoch in range(1):
        for img, mask in loader:
            logits = model(img)
            loss = bce(logits, mask) + dice_loss(logits, mask)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print("epoch", epoch, "loss", round(loss.item(), 4))


if __name__ == "__main__":
    main()
