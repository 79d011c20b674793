"""`shapewatch diff`: where two saved recordings part, across frameworks and layouts too."""

from __future__ import annotations

import argparse

from shapewatch.cli.errors import CommandError
from shapewatch.cli.output import HTML, TEXT, Wording, add_output_arguments, open_output
from shapewatch.cli.recording import STANDARD_INPUT, load_report
from shapewatch.render import comparison_html, comparison_json, comparison_rich, comparison_text

FORMATS = (TEXT, "json", HTML)


class Diff:
    name = "diff"
    usage = "diff A.json B.json [--format text|json|html] [-o FILE]"
    help = "say where two saved recordings part, across frameworks and layouts too"
    hands_over = False

    def prepare_parser(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("a", metavar="A.json", help="what --format json or Report.save wrote")
        parser.add_argument("b", metavar="B.json", help="another one; one of them may be `-`, standard input")
        add_output_arguments(parser, FORMATS, source=False)
        parser.epilog = "Exit status: 0 they are the same, 1 they part, 2 wrong usage."

    def run(self, arguments: argparse.Namespace) -> int:
        from shapewatch.flow.differences import compare
        from shapewatch.render.comparison import Compared

        _demand_format(arguments.format or TEXT)
        if arguments.a == arguments.b == STANDARD_INPUT:
            raise CommandError("standard input holds one recording; give a file for the other")
        a, b = (load_report(file).recording for file in (arguments.a, arguments.b))
        if arguments.file is not None and arguments.format is None:
            _demand_format(arguments.file.rpartition(".")[2].lower(), f"-o {arguments.file}")
        output = open_output(arguments)
        comparison = compare(a, b)
        wording = Wording(comparison_text, comparison_rich, {"json": comparison_json, HTML: comparison_html})
        output.write(Compared(comparison, a, b, (arguments.a, arguments.b)), wording)
        return 0 if comparison.same else 1


def _demand_format(format: str, option: str = "") -> None:
    """
    Raises:
        CommandError: a comparison is not written so.
    """
    if format == "sarif":
        raise CommandError(f"a comparison is text, json or html; leave {option or f'--format {format}'} out")
    if not option and format not in FORMATS:
        raise CommandError(f"there is no format `{format}`; those of a comparison are {', '.join(FORMATS)}")
