"""`--input`: the sizes of one input of a model, written `1x3x224x224` or `tokens=1x128:int64`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from shapewatch.cli.errors import CommandError

if TYPE_CHECKING:
    from shapewatch.watching import InputSpec

EXAMPLE = "--input 1x3x224x224"


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        dest="inputs",
        metavar="SIZES",
        help="sizes of one input, e.g. 1x3x224x224 or tokens=1x128:int64; given once per input",
    )


def parse_inputs(texts: Sequence[str]) -> list[InputSpec]:
    """The inputs, in the order in which they were given.

    Raises:
        CommandError: there is none, one of them cannot be read, or a name comes twice.
    """
    if not texts:
        raise CommandError(f"the sizes of the model's input are missing; add them, e.g. {EXAMPLE}")
    inputs = [parse_input(text) for text in texts]
    named = [spec.name for spec in inputs if spec.name is not None]
    for name in named:
        if named.count(name) > 1:
            raise CommandError(f"`--input {name}=...` is given twice; give each input once")
    return inputs


def parse_input(text: str) -> InputSpec:
    """The input that `NAME=SIZES:DTYPE` describes; the name and the dtype may be left out.

    Whether the dtype exists is the framework's to say.

    Raises:
        CommandError: the text is not of that form.
    """
    from shapewatch.watching import InputSpec

    name, equals, rest = text.rpartition("=")
    name = name.strip()
    if equals and not name.isidentifier():
        raise CommandError(f"`--input {text}`: `{name}` is no argument name; write e.g. tokens=1x128")
    sizes, colon, dtype = rest.partition(":")
    dtype = dtype.strip().removeprefix("torch.")
    if colon and not re.fullmatch(r"[A-Za-z]\w*", dtype):
        raise CommandError(f"`--input {text}`: `{dtype}` after the colon is no dtype; write e.g. 1x128:int64")
    return InputSpec(shape=_shape(sizes.strip(), text), dtype=dtype or None, name=name or None)


def _shape(sizes: str, text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in re.split("[xX×]", sizes)]
    if all(re.fullmatch("[0-9]+", part) for part in parts):
        shape = tuple(int(part) for part in parts)
        if 0 in shape:
            raise CommandError(f"`--input {text}`: axis {shape.index(0)} has size 0; every size is 1 or more")
        return shape
    if not sizes:
        raise CommandError(f"`--input {text}` has no sizes; write e.g. {EXAMPLE}")
    if re.fullmatch(r"[\[(]?\s*\d+(\s*[,;*\s]\s*\d+)*\s*,?\s*[\])]?", sizes):
        meant = text.replace(sizes, "x".join(re.findall(r"\d+", sizes)))
        raise CommandError(f"`--input {text}`: the sizes have an x between them; write --input {meant}")
    if "" in parts:
        raise CommandError(f"`--input {text}`: a size is missing next to an x; write e.g. {EXAMPLE}")
    wrong = next(part for part in parts if not re.fullmatch("[0-9]+", part))
    raise CommandError(
        f"`--input {text}`: `{wrong}` is no size; write whole numbers with an x between them, e.g. {EXAMPLE}"
    )
