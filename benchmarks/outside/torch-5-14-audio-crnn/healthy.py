"""Sound event tagging: log-mel -> CNN -> biGRU -> attention pooling."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader

SR = 8000
N_FFT, HOP, N_MELS = 256, 128, 40
EVENTS = ["dog", "siren", "drill", "speech"]


def mel_filterbank(sr, n_fft, n_mels):
    def hz2mel(f):
        return 2595 * np.log10(1 + f / 700)

    def mel2hz(m):
        return 700 * (10 ** (m / 2595) - 1)

    pts = mel2hz(np.linspace(hz2mel(0), hz2mel(sr / 2), n_mels + 2))
    freqs = np.linspace(0, sr / 2, n_fft // 2 + 1)
    fb = np.zeros((n_mels, len(freqs)), dtype=np.float32)
    for m in range(n_mels):
        l, c, r = pts[m:m + 3]
        fb[m] = np.clip(np.minimum((freqs - l) / (c - l + 1e-6), (r - freqs) / (r - c + 1e-6)), 0, None)
    return torch.from_numpy(fb)


FB = mel_filterbank(SR, N_FFT, N_MELS)


def logmel(wav):
    spec = torch.stft(wav, N_FFT, HOP, window=torch.hann_window(N_FFT), return_complex=True).abs() ** 2
    return torch.log(FB @ spec + 1e-5)


class Clips(Dataset):
    def __init__(self, n=24, seconds=1.0):
        g = torch.Generator().manual_seed(0)
        self.wavs = torch.randn(n, int(SR * seconds), generator=g)
        self.tags = (torch.rand(n, len(EVENTS), generator=g) > 0.5).float()

    def __len__(self):
        return len(self.wavs)

    def __getitem__(self, i):
        return logmel(self.wavs[i]).unsqueeze(0), self.tags[i]


class CRNN(nn.Module):
    def __init__(self, n_mels=N_MELS, n_tags=len(EVENTS), chans=(16, 32, 64), hidden=48):
        super().__init__()
        blocks = []
        prev = 1
        for c in chans:
            blocks += [nn.Conv2d(prev, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d((2, 1))]
            prev = c
        self.cnn = nn.Sequential(*blocks)
        self.gru = nn.GRU(prev * (n_mels // 8), hidden, batch_first=True, bidirectional=True)
        self.att = nn.Linear(2 * hidden, n_tags)
        self.cla = nn.Linear(2 * hidden, n_tags)

    def forward(self, x):
        x = self.cnn(x)                                  # B, C, F, T
        B, C, Fq, T = x.shape
        x = x.permute(0, 3, 1, 2).reshape(B, T, C * Fq)
        x, _ = self.gru(x)
        w = torch.softmax(self.att(x), dim=1)
        p = torch.sigmoid(self.cla(x))
        return (w * p).sum(dim=1)


def main():
    torch.manual_seed(0)
    dl = DataLoader(Clips(), batch_size=8, shuffle=True)
    net = CRNN()
    opt = torch.optim.Adam(net.parameters(), 1e-3)
    bce = nn.BCELoss()
    for ep in range(2):
        tot = 0
        for mel, tag in dl:
            prob = net(mel).clamp(1e-6, 1 - 1e-6)
            loss = bce(prob, tag)
            opt.zero_grad()
            loss.backward()
            opt.step()
            tot += loss.item()
        print("epoch", ep, "bce %.4f" % (tot / len(dl)))


if __name__ == "__main__":
    main()
