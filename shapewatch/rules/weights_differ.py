"""Weights are loaded into a model whose parameters have other shapes.

## What it means
A checkpoint keeps each parameter under its name, and a parameter takes only numbers of its own shape.

## Why
Mostly the model was made for another number of classes than the checkpoint, so that only the last layer differs. If all
widths differ by one factor, it is another size of the same architecture; if they differ here and there, another one.

## Bad
    nn.Linear(8, 3).load_state_dict(nn.Linear(8, 10).state_dict())

## Good
    m = nn.Linear(8, 10); m.load_state_dict(nn.Linear(8, 10).state_dict()); m(torch.ones(2, 8))

## Bad in Keras
    m = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    m.set_weights([tf.ones((4, 5)), tf.ones((5,))])

## Good in Keras
    m = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    m.set_weights([tf.ones((4, 3)), tf.ones((3,))]); m(tf.ones((2, 4)))

## Fixes
Make the model for the checkpoint's classes, load, and then give it a new last layer; or leave the last layer's entries
out of what is loaded. `strict=False` does not help: it forgives names, not shapes.

## What it can be confused with
`weight-names-differ`: the names of the parameters are others.
"""

from __future__ import annotations

from shapewatch.rules.rule import told_by_words

check = told_by_words("SW901", "weights-differ")
