"""Two processes train on shares of ten samples in batches of four, and gather what they predict.

    torchrun --nproc-per-node 2 ranks_part.py
    torchrun --nproc-per-node 2 -m shapewatch run ranks_part.py

Fault: rank 0 has six samples and rank 1 has four. In the second step rank 0 brings [2, 3] to `all_gather`, and rank 1
has no batch left: it brings what it gathers in the end. Nothing is raised: gloo ends a process, or mixes up values.
"""

import torch
import torch.distributed as dist
from torch import nn

SHARES = {0: 6, 1: 4}


def gathered(values):
    """The values of all ranks, one below the other."""
    shares = [torch.empty_like(values) for _ in range(dist.get_world_size())]
    dist.all_gather(shares, values)
    return torch.cat(shares)


def main():
    dist.init_process_group("gloo")
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    samples = torch.randn(SHARES.get(dist.get_rank(), 4), 8)
    for batch in samples.split(4):
        gathered(net(batch))
    gathered(net(samples[:3]))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
