"""Multiscale ViT for small images (a light version of MViTv2).

Tokens are kept as (B, H*W, C) together with the grid size `hw`. In the first
block of a scale the queries are pooled, so the token count drops by four there
and the attention widens the embedding.
"""
from typing import List, Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F

HW = Tuple[int, int]


def pool_tokens(x: torch.Tensor, pool: Optional[nn.Module], hw: HW) -> Tuple[torch.Tensor, HW]:
    if pool is None:
        return x, hw
    b, n, c = x.shape
    x = pool(x.transpose(1, 2).reshape(b, c, *hw))
    hw = (x.shape[2], x.shape[3])
    return x.flatten(2).transpose(1, 2), hw


class PooledAttention(nn.Module):
    def __init__(self, dim: int, dim_out: int, heads: int, stride_q: int, stride_kv: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim_out)
        self.proj = nn.Linear(dim_out, dim_out)

        def dw(stride: int) -> Optional[nn.Module]:
            if stride == 1:
                return None
            return nn.Conv2d(dim_out, dim_out, 3, stride, 1, groups=dim_out, bias=False)

        self.pool_q, self.pool_k, self.pool_v = dw(stride_q), dw(stride_kv), dw(stride_kv)

    def split(self, x: torch.Tensor) -> torch.Tensor:
        b, n, c = x.shape
        return x.view(b, n, self.heads, c // self.heads).transpose(1, 2)

    def forward(self, x: torch.Tensor, hw: HW) -> Tuple[torch.Tensor, HW]:
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        q, hw_q = pool_tokens(q, self.pool_q, hw)
        k, _ = pool_tokens(k, self.pool_k, hw)
        v, _ = pool_tokens(v, self.pool_v, hw)
        q, k, v = self.split(q), self.split(k), self.split(v)
        y = F.scaled_dot_product_attention(q, k, v) + q     # residual pooling connection
        y = y.transpose(1, 2).flatten(2)
        return self.proj(y), hw_q


class MultiScaleBlock(nn.Module):
    def __init__(self, dim: int, dim_out: int, heads: int, stride_q: int = 1,
                 stride_kv: int = 1, mlp_ratio: float = 3.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attn = PooledAttention(dim, dim_out, heads, stride_q, stride_kv)
        self.norm2 = nn.LayerNorm(dim_out)
        hidden = int(dim_out * mlp_ratio)
        self.mlp = nn.Sequential(nn.Linear(dim_out, hidden), nn.GELU(), nn.Linear(hidden, dim_out))
        self.widen = nn.Linear(dim, dim_out) if dim != dim_out else None
        self.pool_skip = nn.MaxPool2d(3, stride_q, 1) if stride_q > 1 else None

    def forward(self, x: torch.Tensor, hw: HW) -> Tuple[torch.Tensor, HW]:
        x_norm = self.norm1(x)
        y, hw_new = self.attn(x_norm, hw)
        if self.widen is not None:
            x = self.widen(x_norm)
        x = x + y
        x = x + self.mlp(self.norm2(x))
        return x, hw_new


class MultiScaleViT(nn.Module):
    def __init__(self, img: int = 48, dim: int = 24, depths: List[int] = (1, 2, 2), classes: int = 11):
        super().__init__()
        self.patch = nn.Conv2d(3, dim, 7, stride=4, padding=3)
        self.pos = nn.Parameter(torch.zeros(1, (img // 4) ** 2, dim))
        nn.init.trunc_normal_(self.pos, std=0.02)
        self.blocks = nn.ModuleList()
        heads, kv = 1, 4
        for scale, depth in enumerate(depths):
            for d in range(depth):
                first = scale > 0 and d == 0
                dim_out = dim * 2 if first else dim
                heads = heads * 2 if first else heads
                self.blocks.append(MultiScaleBlock(dim, dim_out, heads,
                                                   stride_q=2 if first else 1, stride_kv=kv))
                if first:
                    kv = max(1, kv // 2)
                dim = dim_out
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, img: torch.Tensor) -> torch.Tensor:
        x = self.patch(img)
        hw = (x.shape[2], x.shape[3])
        x = x.flatten(2).transpose(1, 2) + self.pos
        for blk in self.blocks:
            x, hw = blk(x, hw)
        return self.head(self.norm(x).mean(dim=1))


def main() -> None:
    torch.manual_seed(31)
    model = MultiScaleViT()
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05},
                             {"params": rest, "weight_decay": 0.0}], lr=5e-4)
    for step in range(2):
        images = torch.rand(4, 3, 48, 48) * 2 - 1
        labels = torch.randint(0, 11, (4,))
        loss = F.cross_entropy(model(images), labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
        print(f"step={step} loss={loss.item():.4f}")


if __name__ == "__main__":
    main()
