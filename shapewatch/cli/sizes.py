"""`shapewatch sizes`: which input sizes a model accepts, found by running it on shapes with others."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from shapewatch.cli.errors import CommandError
from shapewatch.cli.inputs import add_input_arguments, parse_inputs
from shapewatch.cli.output import HTML, Wording, add_output_arguments, open_output
from shapewatch.cli.target import add_target_argument, load_model, on_shapes
from shapewatch.render import sizes_html, sizes_rich, sizes_text

if TYPE_CHECKING:
    from shapewatch.sizes.accepted import Accepted
    from shapewatch.watching import InputSpec

WRITTEN = ("text", "json", HTML)


class Sizes:
    name = "sizes"
    usage = f"sizes TARGET --input SIZES [--input ...] [--format {'|'.join(WRITTEN)}] [-o FILE]"
    help = "find which input sizes a model accepts; exit status 1 when the given ones do not fit"
    hands_over = False

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        add_target_argument(parser)
        add_input_arguments(parser)
        add_output_arguments(parser, WRITTEN, source=False)

    def run(self, arguments: argparse.Namespace) -> int:
        inputs = parse_inputs(arguments.inputs)
        output = open_output(arguments)
        if output.format not in WRITTEN:
            raise CommandError(f"sizes are written as text, json or html, not {output.format}")
        accepted = _accepted(arguments.target, load_model(arguments.target), inputs)
        output.write(accepted, Wording(sizes_text, sizes_rich, {HTML: sizes_html}))
        return 1 if accepted.fits is False else 0


def _accepted(target: str, model: Any, inputs: list[InputSpec]) -> Accepted:
    from shapewatch.watching.sized import sizes_of

    with on_shapes(target):
        return sizes_of(model, inputs)
    raise AssertionError("dry runs give the sizes, or raise")
