"""How TensorFlow words what a shape function says of a node of a graph: the sentence, the node, the shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shapewatch.messages.nouns import Template

ELEMENTWISE = (
    "AddV2|Add|Sub|Mul|RealDiv|Div|Maximum|Minimum|SquaredDifference|Pow|FloorDiv|FloorMod|Equal|NotEqual|Greater"
    "|GreaterEqual|Less|LessEqual|LogicalAnd|LogicalOr|BitwiseAnd|Atan2|Xdivy|Xlogy|DivNoNan|MulNoNan|AddN|SelectV2"
    "|Select"
)
CONVOLUTIONS = "Conv2D|Conv3D|DepthwiseConv2dNative"
TRANSPOSED = "Conv2DBackpropInput|Conv3DBackpropInputV2"
POOLINGS = "MaxPool|AvgPool|MaxPool3D|AvgPool3D|MaxPoolV2"
ASSIGNMENTS = "Assign|AssignVariableOp|AssignAdd|AssignSub"
ANY = "any"


def said_of(
    ops: str,
    sentence: str,
    fault: str,
    shapes: str,
    *,
    facts: Mapping[str, Any] | None = None,
    settings: str = "{_settings:text}",
    example: str = "",
    now: str = "",
    before: str = "",
) -> Iterator[Template]:
    """A sentence said of these operations, now, as TensorFlow 1 says it, and with the node cut to its name; `now` and
    `before` are how it is seen."""
    given = dict(facts or {})
    op = "{op:word}" if ops == ANY else "{op:" + ops + "}"
    if "|" not in op and ops != ANY:
        given["op"] = op = ops
    node = "'{{node {node:node}}} = " + op + "[" + settings + "]({_inputs:text}with input shapes: " + shapes
    yield Template(f"{sentence} for {node}", fault, given, example, now, "" if example else "TensorFlow 2")
    if before:
        node = f"{{node:node}} (op: '{op}') with input shapes: {shapes}"
        yield Template(f"{sentence} for {node}", fault, given, "", before, "TensorFlow 1")
        # a node's name tells its operation, unless the program gave it one of its own
        name = "{node:node}" if ops == ANY else "{_scope:scope}" + op + "{_number:serial}"
        cut = re.sub(r"for \S+ \(op: '(\w+)'\)", r"for '{{node \1}}'", before)
        text = f"{sentence} for '{{{{node {name}}}}}' with input shapes: {shapes}"
        yield Template(text, fault, given, "", cut, "TensorFlow 2, cut by who pasted it")


EQUAL = "Dimensions must be equal, but are {a:n} and {b:n}"
IN_BOTH = "Dimension {axis:axis} in both shapes must be equal, but are {a:n} and {b:n}"
NEGATIVE = "Negative dimension size caused by subtracting {kernel:n} from {size:n}"
LAYOUT = '{_before:text}data_format="{data_format:NHWC|NCHW|NDHWC|NCDHW}"{_after:text}'
