"""Every rule, in the order in which they are asked: the particular before the general."""

from __future__ import annotations

from shapewatch.rules import (
    activation_width_differs,
    attention_sizes_differ,
    branch_broadcasts,
    branches_differ,
    channels_last,
    concat_axes_differ,
    conv_channels_differ,
    groups_indivisible,
    inner_dims_differ,
    input_width_differs,
    model_input_differs,
    norm_size_differs,
    operands_differ,
    rank_differs,
    recurrent_width_differs,
    reshape_count_differs,
    shuffle_channels_indivisible,
    size_refused,
    stack_sizes_differ,
    window_exceeds_input,
)
from shapewatch.rules.rule import Case, Finding, Rule

RULES: tuple[Rule, ...] = (
    inner_dims_differ.check,
    input_width_differs.check,
    attention_sizes_differ.check,
    branches_differ.check,
    operands_differ.check,
    branch_broadcasts.check,
    reshape_count_differs.check,
    concat_axes_differ.check,
    stack_sizes_differ.check,
    model_input_differs.check,
    channels_last.check,
    rank_differs.check,
    conv_channels_differ.check,
    groups_indivisible.check,
    norm_size_differs.check,
    window_exceeds_input.check,
    activation_width_differs.check,
    shuffle_channels_indivisible.check,
    recurrent_width_differs.check,
    size_refused.check,
)

__all__ = ["RULES", "Case", "Finding", "Rule"]
