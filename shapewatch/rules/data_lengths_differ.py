"""Data and labels are of different lengths.

## What it means
Training takes items of the data and their labels side by side, so there are equally many of both; of every input, of
every output and of the weights of samples.

## Why
One of the two was filtered, split or shuffled alone, a window over a series makes fewer labels than rows, or the axes
of an array were read the other way round, so that its first axis is not the items.

## Bad
    torch.utils.data.TensorDataset(torch.ones(5, 3), torch.ones(4))

## Good
    torch.utils.data.TensorDataset(torch.ones(5, 3), torch.ones(5)); nn.Linear(3, 1)(torch.ones(5, 3))

## Bad in Keras
    m = keras.Sequential([layers.Dense(3)]); m.compile("sgd", "mse")
    m.fit(tf.ones((12, 4)).numpy(), tf.ones((11, 3)).numpy(), verbose=0)

## Good in Keras
    m = keras.Sequential([layers.Dense(3)]); m.compile("sgd", "mse")
    m.fit(tf.ones((12, 4)).numpy(), tf.ones((12, 3)).numpy(), verbose=0)

## What it can be confused with
`target-batch-differs`: data and labels fit, and the model gives another number of answers than it was given items.
"""

from __future__ import annotations

from shapewatch.rules.rule import told_by_words

check = told_by_words("SW805", "data-lengths-differ")
