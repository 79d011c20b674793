"""Weights are loaded whose names are not those of the model's parameters.

## What it means
A checkpoint has entries that the model does not know, and lacks some that it needs.

## Why
A wrapper put its name before all of them (`module.` by `DataParallel`, `_orig_mod.` by `compile`, `model.` by a
trainer), the file keeps the weights under a key of its own (`state_dict`, `model`), or the model is another one.

## Bad
    m = nn.Linear(8, 3); m.load_state_dict({"module." + name: weight for name, weight in m.state_dict().items()})

## Good
    m = nn.Linear(8, 3); m.load_state_dict(nn.Linear(8, 3).state_dict()); m(torch.ones(2, 8))

## What it can be confused with
`weights-differ`: the names are right, and the shapes are not.
"""

from __future__ import annotations

from shapewatch.rules.rule import told_by_words

check = told_by_words("SW904", "weight-names-differ")
