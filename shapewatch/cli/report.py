"""`shapewatch report`: a saved recording again, in any format. No framework is needed to read one."""

from __future__ import annotations

import argparse

from shapewatch.cli.check import status_of
from shapewatch.cli.output import OPTIONS, Wording, add_output_arguments, open_output
from shapewatch.cli.recording import load_report
from shapewatch.render import as_rich, as_text


class SavedReport:
    name = "report"
    usage = f"report FILE {OPTIONS}"
    help = "show a saved recording again, in any format"
    hands_over = False

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "recording", metavar="FILE", help="what --format json or Report.save wrote; `-` is standard input"
        )
        add_output_arguments(parser)
        parser.epilog = "Exit status: 0 nothing is wrong, 1 a shape error is in it, 2 wrong usage."

    def run(self, arguments: argparse.Namespace) -> int:
        report = load_report(arguments.recording)
        open_output(arguments).write(report, Wording(as_text, as_rich))
        return status_of(report)
