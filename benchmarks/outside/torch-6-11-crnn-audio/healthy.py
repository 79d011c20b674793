"""CRNN for urban sound tagging, log-mel in, one label per clip"""
import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader

SR = 8000
N_FFT, HOP, N_MELS = 256, 128, 40
CLIP_SEC = 1.5
LABELS = ['siren', 'drill', 'dog_bark', 'jackhammer', 'music', 'engine']


def mel_filterbank(n_mels, n_freq):
    # crude triangular bank, good enough
    centers = torch.linspace(0, n_freq - 1, n_mels + 2)
    f = torch.arange(n_freq).float()
    fb = []
    for m in range(1, n_mels + 1):
        left = (f - centers[m - 1]) / (centers[m] - centers[m - 1])
        right = (centers[m + 1] - f) / (centers[m + 1] - centers[m])
        fb.append(torch.clamp(torch.minimum(left, right), min=0))
    return torch.stack(fb)


class UrbanClips(Dataset):
    def __init__(self, n):
        self.wavs = torch.randn(n, int(SR * CLIP_SEC))
        self.y = torch.randint(0, len(LABELS), (n,))
        self.fb = mel_filterbank(N_MELS, N_FFT // 2 + 1)
        self.win = torch.hann_window(N_FFT)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        spec = torch.stft(self.wavs[i], N_FFT, HOP, window=self.win, return_complex=True).abs() ** 2
        mel = torch.log(self.fb @ spec + 1e-6)
        mel = (mel - mel.mean()) / (mel.std() + 1e-6)
        return mel.unsqueeze(0), self.y[i]


class CRNN(nn.Module):
    def __init__(self, n_mels=N_MELS, n_out=len(LABELS), rnn_hidden=64):
        super().__init__()
        self.cnn = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d((2, 2)),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d((2, 2)),
            nn.Conv2d(32, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d((2, 1)),
        )
        self.rnn = nn.GRU(32 * (n_mels // 8), rnn_hidden, batch_first=True, bidirectional=True)
        self.att = nn.Linear(rnn_hidden * 2, 1)
        self.out = nn.Linear(rnn_hidden * 2, n_out)

    def forward(self, x):
        x = self.cnn(x)
        b, c, f, t = x.shape
        x = x.reshape(b, c * f, t).permute(0, 2, 1)
        x, _ = self.rnn(x)
        a = torch.softmax(self.att(x), dim=1)
        return self.out((a * x).sum(dim=1))


def main():
    torch.manual_seed(11)
    train = DataLoader(UrbanClips(48), batch_size=12, shuffle=True)
    test = DataLoader(UrbanClips(12), batch_size=12)
    net = CRNN()
    optim = torch.optim.Adam(net.parameters(), 1e-3)
    crit = nn.CrossEntropyLoss(label_smoothing=0.1)
    for ep in range(2):
        net.train()
        for mel, y in train:
            loss = crit(net(mel), y)
            optim.zero_grad()
            loss.backward()
            optim.step()
        net.eval()
        with torch.no_grad():
            ok = sum((net(m).argmax(-1) == y).sum().item() for m, y in test)
        print(f'ep {ep} loss {loss.item():.3f} acc {ok / len(test.dataset):.2f}')


main()
