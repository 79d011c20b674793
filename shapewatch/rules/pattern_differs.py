"""A pattern of einops does not fit the tensor.

## What it means
`rearrange(x, "b (h d) n -> b h n d", h=8)` names every axis of x, and takes axes in brackets apart: the sizes that are
given have to divide what is there.

## Why
The tensor has another number of axes than the pattern has names (no batch, heads already apart), or a width is no
multiple of the heads or patches that it is to be split into.

## Bad
    import einops; einops.rearrange(nn.Linear(6, 6)(torch.ones(2, 6)), "b (h d) -> b h d", h=4)

## Good
    import einops; einops.rearrange(nn.Linear(6, 6)(torch.ones(2, 6)), "b (h d) -> b h d", h=3)

## What it can be confused with
`reshape-count-differs`, which is the same of `view` and `reshape`.
"""

from __future__ import annotations

from shapewatch.rules.rule import told_by_words

check = told_by_words("SW303", "pattern-differs")
