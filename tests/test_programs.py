"""Broken programs of the benchmark: a fixed few are run, as a user would run them; the headers of all can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import programs
from benchmarks.programs import Program, judge, verdict

SAMPLE = (
    "head_has_nine_units",
    "labels_not_one_hot",
    "tf1_conv_filter",
    "tf1_feed_labels",
    "tf1_second_weights",
    "tf1_unrolled_cell",
)


@pytest.mark.parametrize("program", programs.programs(only=SAMPLE), ids=lambda program: program.name)
def test_a_program_is_explained(program: Program) -> None:
    outcome = programs.run(program)
    assert outcome.verdict == "named", outcome


def test_every_header_can_be_read() -> None:
    found = programs.programs()
    assert len(found) > 70
    assert len({program.name for program in found}) == len(found)
    for program in found:
        assert all(code.startswith("SW") for code in program.codes)
        assert all(program.named)


def test_a_part_of_a_line_is_in_that_program() -> None:
    for program in programs.programs():
        lines = program.path.read_text(encoding="utf-8").splitlines()
        code = "\n".join(line for line in lines if not line.startswith("# "))
        pieces = [name for name in program.named if programs.is_code(name)]
        assert all(piece in code for piece in pieces), (program.name, pieces)


def test_a_header_without_a_fault_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("# A story.\n#\n# code: SW1\n# named: w\n# fix: none\n", encoding="utf-8")
    with pytest.raises(ValueError, match="fault"):
        programs.read(file)


# Verdicts


PROGRAM = Program(Path(__file__), "w is too wide", ("SW1",), ("w", "w = make(3)"), "w = make(2)")


def told(
    code: str = "SW101", cause: Any = None, headline: str = "matmul: w", source: str | None = None
) -> dict[str, Any]:
    location = {"file": "a.py", "line": 3, "source": source}
    return {
        "code": code,
        "severity": "error",
        "headline": headline,
        "cause": cause,
        "location": location,
        "fixes": [{"title": "t", "verified": None}],
    }


def cause(layer: str | None, source: str | None = None, reason: str = "") -> dict[str, Any]:
    return {"layer": layer, "type": "x", "reason": reason, "location": {"file": "a.py", "line": 1, "source": source}}


@pytest.mark.parametrize(
    "diagnosis, expected",
    [
        (told(cause=cause("w")), "named"),
        (told(cause=cause("other", source="w = make(3)")), "named"),
        (told(cause=cause("v")), "misled"),
        (told(cause=cause("window")), "misled"),
        (told(), "named"),
        (told(headline="matmul: v"), "explained"),
        (told(headline="matmul: v", source="w = make(3)"), "named"),
        (told(headline="matmul: v", cause=cause(None)), "explained"),
        (told(code="SW201", cause=cause("w")), "other"),
    ],
)
def test_verdicts(diagnosis: dict[str, Any], expected: str) -> None:
    assert verdict(PROGRAM, diagnosis) == expected


def test_a_verified_fix_of_another_fault_misleads() -> None:
    diagnosis = told(code="SW201", cause=cause("v"))
    diagnosis["fixes"][0]["verified"] = "forward"
    assert verdict(PROGRAM, diagnosis) == "misled"


def test_a_program_that_ran_is_trouble() -> None:
    assert judge(PROGRAM, 0, {"diagnoses": []}).verdict == "trouble"
    assert judge(PROGRAM, 1, None).verdict == "trouble"
    assert judge(PROGRAM, 1, {"diagnoses": []}).verdict == "nothing"
