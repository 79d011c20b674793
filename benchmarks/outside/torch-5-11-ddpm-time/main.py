import math
import torch
import torch.nn.functional as F
from torch import nn

T = 100
betas = torch.linspace(1e-4, 0.02, T)
alphas = 1.0 - betas
alphas_cumprod = torch.cumprod(alphas, dim=0)


def extract(a, t, x_shape):
    return a.gather(0, t).reshape(t.shape[0], *((1,) * (len(x_shape) - 1)))


def q_sample(x0, t, noise):
    return (extract(alphas_cumprod.sqrt(), t, x0.shape) * x0
            + extract((1 - alphas_cumprod).sqrt(), t, x0.shape) * noise)


class SinusoidalPositionEmbeddings(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim

    def forward(self, time):
        half = self.dim // 2
        emb = math.log(10000) / (half - 1)
        emb = torch.exp(torch.arange(half) * -emb)
        emb = time[:, None] * emb[None, :]
        return torch.cat((emb.sin(), emb.cos()), dim=-1)


class ResnetBlock(nn.Module):
    def __init__(self, dim, dim_out, time_emb_dim=None, groups=4):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time_emb_dim, dim_out)) if time_emb_dim else None
        self.conv1 = nn.Conv2d(dim, dim_out, 3, padding=1)
        self.norm1 = nn.GroupNorm(groups, dim_out)
        self.conv2 = nn.Conv2d(dim_out, dim_out, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, dim_out)
        self.res_conv = nn.Conv2d(dim, dim_out, 1) if dim != dim_out else nn.Identity()

    def forward(self, x, time_emb=None):
        h = F.silu(self.norm1(self.conv1(x)))
        if self.mlp is not None and time_emb is not None:
            h = h + self.mlp(time_emb)
        h = F.silu(self.norm2(self.conv2(h)))
        return h + self.res_conv(x)


class Unet(nn.Module):
    def __init__(self, dim=16, channels=1, dim_mults=(1, 2)):
        super().__init__()
        self.init_conv = nn.Conv2d(channels, dim, 3, padding=1)
        dims = [dim, *[dim * m for m in dim_mults]]
        in_out = list(zip(dims[:-1], dims[1:]))
        time_dim = dim * 4
        self.time_mlp = nn.Sequential(SinusoidalPositionEmbeddings(dim), nn.Linear(dim, time_dim),
                                      nn.GELU(), nn.Linear(time_dim, time_dim))
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        for d_in, d_out in in_out:
            self.downs.append(nn.ModuleList([ResnetBlock(d_in, d_in, time_dim),
                                             nn.Conv2d(d_in, d_out, 4, 2, 1)]))
        self.mid = ResnetBlock(dims[-1], dims[-1], time_dim)
        for d_in, d_out in reversed(in_out):
            self.ups.append(nn.ModuleList([nn.ConvTranspose2d(d_out, d_in, 4, 2, 1),
                                           ResnetBlock(d_in * 2, d_in, time_dim)]))
        self.final = nn.Conv2d(dim, channels, 1)

    def forward(self, x, time):
        x = self.init_conv(x)
        t = self.time_mlp(time.float())
        hs = []
        for block, down in self.downs:
            x = block(x, t)
            hs.append(x)
            x = down(x)
        x = self.mid(x, t)
        for up, block in self.ups:
            x = up(x)
            x = block(torch.cat((x, hs.pop()), dim=1), t)
        return self.final(x)


@torch.no_grad()
def sample(model, shape, steps=5):
    img = torch.randn(shape)
    for i in reversed(range(steps)):
        t = torch.full((shape[0],), i, dtype=torch.long)
        eps = model(img, t)
        img = (img - betas[i] / (1 - alphas_cumprod[i]).sqrt() * eps) / alphas[i].sqrt()
    return img


torch.manual_seed(0)
model = Unet()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
images = torch.rand(48, 1, 28, 28) * 2 - 1
for step in range(6):
    batch = images[torch.randperm(48)[:8]]
    t = torch.randint(0, T, (batch.shape[0],))
    noise = torch.randn_like(batch)
    loss = F.smooth_l1_loss(model(q_sample(batch, t, noise), t), noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print("step", step, "loss", round(loss.item(), 4))
print(sample(model, (4, 1, 28, 28)).shape)
