"""`shapewatch summary`: the layers and the junctions of a model, as tables."""

from __future__ import annotations

import argparse

from shapewatch.cli.check import add_dry_run_arguments, dry_run
from shapewatch.cli.output import HTML, OPTIONS, Wording
from shapewatch.render import summary_html, summary_rich, summary_text


class Summary:
    name = "summary"
    usage = f"summary TARGET --input SIZES [--input ...] {OPTIONS}"
    help = "show a model's layers and junctions with their shapes, up to the first that does not fit"
    hands_over = False

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        add_dry_run_arguments(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        return dry_run(arguments, Wording(summary_text, summary_rich, {HTML: summary_html}))
