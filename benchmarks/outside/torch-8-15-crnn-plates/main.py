"""Licence plate reading: CRNN + CTC."""
import argparse
import string

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

CHARS = string.digits + string.ascii_uppercase
BLANK = 0


def get_opts():
    parser = argparse.ArgumentParser("crnn")
    parser.add_argument("--img-h", type=int, default=32)
    parser.add_argument("--img-w", type=int, default=128)
    parser.add_argument("--rnn-hidden", type=int, default=32)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--num-batches", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1e-3)
    return parser.parse_args()


class PlateDataset(Dataset):
    def __init__(self, n, img_h, img_w):
        self.n, self.img_h, self.img_w = n, img_h, img_w

    def __len__(self):
        return self.n

    def __getitem__(self, index):
        gen = torch.Generator().manual_seed(1000 + index)
        image = torch.rand(1, self.img_h, self.img_w, generator=gen)
        length = int(torch.randint(5, 9, (1,), generator=gen))
        plate = "".join(CHARS[int(torch.randint(len(CHARS), (1,), generator=gen))] for _ in range(length))
        return image, plate


def encode(plate):
    return [CHARS.index(c) + 1 for c in plate]


def decode(best):
    out, prev = [], BLANK
    for b in best:
        if b != prev and b != BLANK:
            out.append(CHARS[b - 1])
        prev = b
    return "".join(out)


def collate(batch):
    images = torch.stack([img for img, _ in batch])
    targets = [encode(p) for _, p in batch]
    lengths = torch.tensor([len(t) for t in targets])
    return images, torch.tensor(sum(targets, [])), lengths


class CRNN(nn.Module):
    def __init__(self, img_h, n_classes, hidden, channels=(16, 32, 48, 64)):
        super().__init__()
        cnn = nn.Sequential()
        c_prev = 1
        for i, c in enumerate(channels):
            cnn.add_module(f"conv{i}", nn.Conv2d(c_prev, c, 3, padding=1))
            cnn.add_module(f"bn{i}", nn.BatchNorm2d(c))
            cnn.add_module(f"relu{i}", nn.ReLU(True))
            # the width is the time axis: stop halving it after two pools
            cnn.add_module(f"pool{i}", nn.MaxPool2d((2, 2) if i < 2 else (2, 1)))
            c_prev = c
        self.cnn = cnn
        self.rnn = nn.LSTM(channels[-1] * (img_h // 8), hidden, num_layers=2, bidirectional=True)
        self.fc = nn.Linear(2 * hidden, n_classes)

    def forward(self, x):
        f = self.cnn(x)                                   # b c h w
        f = f.permute(3, 0, 1, 2).flatten(2)              # w b c*h
        y, _ = self.rnn(f)
        return self.fc(y).log_softmax(-1)


def main():
    opts = get_opts()
    torch.manual_seed(77)
    dataset = PlateDataset(opts.batch_size * opts.num_batches, opts.img_h, opts.img_w)
    loader = DataLoader(dataset, batch_size=opts.batch_size, collate_fn=collate)

    model = CRNN(opts.img_h, len(CHARS) + 1, opts.rnn_hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=opts.lr)
    ctc = nn.CTCLoss(blank=BLANK, zero_infinity=True)

    for i, (images, targets, target_lengths) in enumerate(loader):
        logp = model(images)
        input_lengths = torch.full((images.size(0),), logp.size(0), dtype=torch.long)
        loss = ctc(logp, targets, input_lengths, target_lengths)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        print(f"batch {i}  frames {logp.size(0)}  ctc {loss.item():.3f}")

    model.eval()
    with torch.no_grad():
        best = model(images[:1]).argmax(-1)[:, 0].tolist()
    print("reads:", decode(best) or "<nothing>")


if __name__ == "__main__":
    main()
