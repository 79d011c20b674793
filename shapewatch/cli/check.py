"""`shapewatch check`: the dry run of a model on shapes alone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from shapewatch.cli.inputs import add_input_arguments, parse_inputs
from shapewatch.cli.output import OPTIONS, WARNINGS, Wording, add_output_arguments, add_warnings_argument, open_output
from shapewatch.cli.target import add_target_argument, load_model, on_shapes
from shapewatch.render import as_rich, as_text

if TYPE_CHECKING:
    from shapewatch.report import Report
    from shapewatch.watching import InputSpec


class Check:
    name = "check"
    usage = f"check TARGET --input SIZES [--input ...] {OPTIONS} {WARNINGS}"
    help = "run a model on shapes alone and say what does not fit; exit status 1 when something does not"
    hands_over = False

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        add_dry_run_arguments(parser)
        add_warnings_argument(parser)

    def run(self, arguments: argparse.Namespace) -> int:
        return dry_run(arguments, Wording(as_text, as_rich), arguments.warnings)


def add_dry_run_arguments(parser: argparse.ArgumentParser) -> None:
    add_target_argument(parser)
    add_input_arguments(parser)
    add_output_arguments(parser)


def dry_run(arguments: argparse.Namespace, wording: Wording, warnings: str = "warn") -> int:
    """Check TARGET on the given inputs and write the report; 0 where nothing is wrong, else 1. With `raise` as the
    warnings, what looks wrong is wrong.

    Raises:
        CommandError: an argument is wrong, or the dry run itself broke down.
    """
    inputs = parse_inputs(arguments.inputs)
    output = open_output(arguments)
    report = _report(arguments.target, load_model(arguments.target), inputs, warnings == "allow")
    output.write(report, wording)
    looks_wrong = warnings == "raise" and any(found.severity == "warning" for found in report.diagnoses)
    return 1 if looks_wrong else status_of(report)


def status_of(report: Report) -> int:
    """The exit status that a report stands for: 0 where nothing is wrong, else 1."""
    # A pass that failed without a diagnosis is not fine either. One that cannot be followed on shapes alone is no
    # failure of the model: the notes say where the dry run had to stop.
    failed = report.recording.failure is not None and not report.notes
    return 1 if failed or not report.ok else 0


def _report(target: str, model: Any, inputs: list[InputSpec], allow: bool) -> Report:
    from shapewatch.watching import check

    with on_shapes(target):
        return check(model, input_shape=inputs, warnings="allow" if allow else "warn")
    raise AssertionError("a dry run gives a report, or raises")
