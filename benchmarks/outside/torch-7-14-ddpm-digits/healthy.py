import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

T = 50


def sinusoidal_embedding(t, dim):
    half = dim // 2
    freqs = torch.exp(-math.log(10000) * torch.arange(half) / (half - 1))
    args = t[:, None].float() * freqs[None]
    return torch.cat([args.sin(), args.cos()], dim=-1)


class ResBlock(nn.Module):
    def __init__(self, c_in, c_out, t_dim, groups=8):
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.time_proj = nn.Linear(t_dim, c_out)
        self.norm2 = nn.GroupNorm(groups, c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x, temb):
        h = self.conv1(F.silu(self.norm1(x)))
        h = h + self.time_proj(F.silu(temb))[:, :, None, None]
        h = self.conv2(F.silu(self.norm2(h)))
        return h + self.skip(x)


class NoiseNet(nn.Module):
    def __init__(self, base=16, t_dim=64):
        super().__init__()
        self.base = base
        self.time_mlp = nn.Sequential(nn.Linear(base, t_dim), nn.SiLU(), nn.Linear(t_dim, t_dim))
        self.stem = nn.Conv2d(1, base, 3, padding=1)
        self.down1 = ResBlock(base, base, t_dim)
        self.pool1 = nn.Conv2d(base, base * 2, 3, stride=2, padding=1)
        self.down2 = ResBlock(base * 2, base * 2, t_dim)
        self.mid = ResBlock(base * 2, base * 2, t_dim)
        self.up1 = nn.ConvTranspose2d(base * 2, base, 2, stride=2)
        self.dec1 = ResBlock(base * 2, base, t_dim)
        self.out = nn.Conv2d(base, 1, 3, padding=1)

    def forward(self, x, t):
        temb = self.time_mlp(sinusoidal_embedding(t, self.base))
        h1 = self.down1(self.stem(x), temb)
        h2 = self.down2(self.pool1(h1), temb)
        h = self.up1(self.mid(h2, temb))
        h = self.dec1(torch.cat([h, h1], dim=1), temb)
        return self.out(h)


class Diffusion:
    def __init__(self, steps=T, beta_start=1e-4, beta_end=0.02):
        self.steps = steps
        self.beta = torch.linspace(beta_start, beta_end, steps)
        self.alpha = 1.0 - self.beta
        self.alpha_bar = torch.cumprod(self.alpha, dim=0)

    def q_sample(self, x0, t, noise):
        ab = self.alpha_bar[t].view(-1, 1, 1, 1)
        return ab.sqrt() * x0 + (1 - ab).sqrt() * noise

    @torch.no_grad()
    def sample(self, model, shape):
        x = torch.randn(shape)
        for i in reversed(range(self.steps)):
            t = torch.full((shape[0],), i, dtype=torch.long)
            eps = model(x, t)
            coef = self.beta[i] / (1 - self.alpha_bar[i]).sqrt()
            x = (x - coef * eps) / self.alpha[i].sqrt()
            if i > 0:
                x = x + self.beta[i].sqrt() * torch.randn_like(x)
        return x.clamp(-1, 1)


def main():
    torch.manual_seed(0)
    digits = torch.rand(80, 1, 28, 28) * 2 - 1
    loader = DataLoader(TensorDataset(digits), batch_size=20, shuffle=True)
    model, diffusion = NoiseNet(), Diffusion()
    opt = torch.optim.Adam(model.parameters(), lr=2e-4)
    for epoch in range(2):
        for (x0,) in loader:
            t = torch.randint(0, T, (x0.size(0),))
            noise = torch.randn_like(x0)
            pred = model(diffusion.q_sample(x0, t, noise), t)
            loss = F.mse_loss(pred, noise)
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")
    print(diffusion.sample(model, (4, 1, 28, 28)).shape)


if __name__ == "__main__":
    main()
