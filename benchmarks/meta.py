"""`check` of a transformer of 70 billion parameters that is built on the meta device.

    python -m benchmarks.meta [--layers 80] [--broken]

Nothing of it fits into this machine, and nothing of it is made: a meta tensor has a shape and no memory. Prints the
time and the memory of a bare forward pass on the meta device and of `check`, and with `--broken` of one that finds
a layer of a wrong width and proves its repair. Each is measured in a process of its own, so that the highest memory
of one is not taken for that of another.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

import shapewatch
from benchmarks.tables import table

WIDTH, HEADS, GROUPS, HIDDEN, WORDS, TOKENS = 8192, 64, 8, 28672, 128_256, 2048
GOAL = "under 10 s and 1 GB"


class Attention(nn.Module):
    """Grouped-query attention: eight query heads share one head of keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.size = WIDTH // HEADS
        self.q_proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.k_proj = nn.Linear(WIDTH, GROUPS * self.size, bias=False)
        self.v_proj = nn.Linear(WIDTH, GROUPS * self.size, bias=False)
        self.o_proj = nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        batch, tokens, _ = x.shape
        q = rotated(self.q_proj(x).view(batch, tokens, HEADS, self.size).transpose(1, 2), cos, sin)
        k = rotated(self.k_proj(x).view(batch, tokens, GROUPS, self.size).transpose(1, 2), cos, sin)
        v = self.v_proj(x).view(batch, tokens, GROUPS, self.size).transpose(1, 2)
        k, v = k.repeat_interleave(HEADS // GROUPS, 1), v.repeat_interleave(HEADS // GROUPS, 1)
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.o_proj(out.transpose(1, 2).reshape(batch, tokens, WIDTH))


def rotated(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary position embedding."""
    half = x.shape[-1] // 2
    return x * cos + torch.cat((-x[..., half:], x[..., :half]), -1) * sin


class Gated(nn.Module):
    """The feed-forward part, with a gate."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(WIDTH, HIDDEN, bias=False)
        self.up_proj = nn.Linear(WIDTH, hidden, bias=False)
        self.down_proj = nn.Linear(HIDDEN, WIDTH, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.input_norm, self.norm = nn.RMSNorm(WIDTH), nn.RMSNorm(WIDTH)
        self.attention, self.mlp = Attention(), Gated(hidden)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.input_norm(x), cos, sin)
        return x + self.mlp(self.norm(x))


class Transformer(nn.Module):
    """[N, tokens] of indices to [N, tokens, words]."""

    def __init__(self, layers: int, broken: bool) -> None:
        super().__init__()
        self.embedding = nn.Embedding(WORDS, WIDTH)
        odd = 5 * layers // 8 if broken else -1
        self.layers = nn.ModuleList(Block(HIDDEN - 512 if each == odd else HIDDEN) for each in range(layers))
        self.norm = nn.RMSNorm(WIDTH)
        self.head = nn.Linear(WIDTH, WORDS, bias=False)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embedding(tokens)
        angles = torch.outer(
            torch.arange(tokens.shape[1], device=tokens.device, dtype=torch.float32),
            500_000.0 ** -torch.linspace(0, 1, WIDTH // HEADS // 2, device=tokens.device),
        ).repeat(1, 2)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        for layer in self.layers:
            x = layer(x, cos, sin)
        return self.head(self.norm(x))


def on_meta(layers: int, broken: bool) -> tuple[Transformer, torch.Tensor]:
    with torch.device("meta"):
        return Transformer(layers, broken).to(torch.bfloat16), torch.zeros(1, TOKENS, dtype=torch.long)


# Measured in a process of its own


@dataclass(frozen=True)
class Measured:
    """By the clock and by the processor; what the process had before, and at most."""

    seconds: float
    worked: float
    before: float
    most: float
    result: str

    @property
    def line(self) -> str:
        return f"{self.seconds:.2f}|{self.worked:.2f}|{self.before:.2f}|{self.most:.2f}|{self.result}"


def bare(layers: int) -> Measured:
    model, tokens = on_meta(layers, broken=False)
    with torch.no_grad():
        return measured(lambda: str(list(model(tokens).shape)))


def checked(layers: int, broken: bool) -> Measured:
    model, tokens = on_meta(layers, broken)
    return measured(lambda: told(shapewatch.check(model, tokens)))


def told(report: shapewatch.Report) -> str:
    if report.ok:
        return f"{report.output}, {len(report.calls)} calls, {report.notes or 'ok'}"
    first = report.diagnoses[0]
    fix = first.fixes[0] if first.fixes else None
    return f"{first.code}, cause {first.cause and first.cause.layer}, fix verified {fix and fix.verified}"


def measured(action: Callable[[], str]) -> Measured:
    before, started, worked = memory(), time.perf_counter(), time.process_time()
    result = action()
    return Measured(time.perf_counter() - started, time.process_time() - worked, before, memory(), result)


WHAT: dict[str, Callable[[int], Measured]] = {
    "a bare pass": bare,
    "check": lambda layers: checked(layers, broken=False),
    "check, broken": lambda layers: checked(layers, broken=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=80)
    parser.add_argument("--broken", action="store_true", help="also a model with one layer of a wrong width")
    parser.add_argument("--only", choices=WHAT, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.only:
        print(WHAT[chosen.only](chosen.layers).line)
        return
    model, _ = on_meta(chosen.layers, broken=False)
    billions = sum(parameter.numel() for parameter in model.parameters()) / 1e9
    print(f"{billions:.1f} billion parameters, {chosen.layers} layers, {TOKENS} tokens; the goal of check is {GOAL}\n")
    rows = []
    for what in WHAT if chosen.broken else list(WHAT)[:2]:
        command = [sys.executable, "-m", "benchmarks.meta", "--only", what, "--layers", str(chosen.layers)]
        line = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
        rows.append([what, *line.split("|")])
    print(table(["what", "seconds", "of the processor", "GB before", "GB at most", "result"], rows))


def memory() -> float:
    """The most that this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
