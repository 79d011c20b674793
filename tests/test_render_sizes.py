"""What the sizes that a model accepts look like. They are written by hand; no framework is needed to read them."""

from __future__ import annotations

import io
import json

import golden
import pytest
from rich.console import Console

from shapewatch.recording import Span
from shapewatch.render import sizes_rich, sizes_text
from shapewatch.render.json import as_json
from shapewatch.render.sizes import rule_in_words
from shapewatch.sizes.accepted import Accepted, Axis, Few, Refusal, Row, Rule, Stretch

BATCH, CHANNELS, HEIGHT, WIDTH = (
    Axis(0, "input", axis, name) for axis, name in enumerate(("batch", "channels", "height", "width"))
)
FAR = (1, 2, 3, 16, 64, 5000)


def at(line: int, source: str) -> Span:
    return Span("model.py", line, source, "forward")


UNET_ROWS = (
    Row((BATCH,), "alone", Rule(), (1,), True, (), FAR, 3),
    Row(
        (CHANNELS,), "alone", Rule(3, 3), (3,), True, (), (1, 2, 3, 4, 255), 2,
        (Refusal("encode1", "", at(30, "x = self.encode1(x)"), "", ((1, 2, 304, 304),), False, 2, (CHANNELS,)),),
    ),
    Row(
        (HEIGHT, WIDTH), "each", Rule(32, None, 16), (300, 300), False, (288, 304), FAR, 2,
        (
            Refusal(
                "", "cat", at(41, "x = torch.cat([fine, x], dim=1)"), "RuntimeError: Sizes of tensors must match",
                ((1, 64, 37, 38), (1, 64, 36, 38)), False, 300, (HEIGHT,),
            ),
            Refusal("pool", "", at(33, "x = self.pool(x)"), "RuntimeError", ((1, 8, 1, 304),), False, 1, (WIDTH,)),
        ),
    ),
)  # fmt: skip

UNET = Accepted(
    "torch", ("input",), ((1, 3, 300, 300),), False, ((1, 3, 304, 304),), UNET_ROWS,
    (((1, 3, 288, 288),), ((1, 3, 304, 304),)), (("batch", "2", "height", "width"),), UNET_ROWS[2].refusals[0],
    193, 4.0, 10,
)  # fmt: skip

TOKENS, STEPS, MASK, PLACES, WORDS = (
    Axis(0, "tokens", 0, "batch"), Axis(0, "tokens", 1, "length"),
    Axis(1, "mask", 0, "batch"), Axis(1, "mask", 1, "axis 1"), Axis(1, "mask", 2, "axis 2"),
)  # fmt: skip

LANGUAGE = Accepted(
    "keras", ("tokens", "mask"), ((2, 10), (2, 10, 6)), True, ((2, 10), (2, 10, 6)),
    (
        Row((TOKENS, MASK), "equal", Rule(), (2, 2), True, (), FAR, 3),
        Row(
            (STEPS, PLACES), "equal", Rule(1, 512), (10, 10), True, (), FAR, 3,
            (Refusal("", "add", at(12, "x = x + mask"), "ValueError", ((2, 11, 8), (2, 10, 8)), False, 11, (STEPS,)),),
        ),
        Row(
            (WORDS,), "alone", Few((3, 6, 12)), (6,), True, (), FAR, 0,
            (Refusal("", "", None, "ValueError", ((None, None), (None, None, 6)), True, 5, (WORDS,)),),
            (Stretch((1, 2), "add", at(12, "x = x + mask"), ((2, 10, 8), (2, 10, 1)), (WORDS,)),),
        ),
    ),
    output=(("batch", "length", "8"), ("batch",)), passes=900, ended="the search ended after 900 passes and 20 seconds",
    notes=("the rows hold with the other axes as they are: 2x20 with 2x20x3 does not fit",),
)  # fmt: skip

NOTHING = Accepted(
    "torch", ("input",), ((3, 64),), False,
    refusal=Refusal("", "", at(7, "batch, channels, height, width = x.shape"), "ValueError: not enough values"),
    passes=140,
)  # fmt: skip

UNTOLD = Accepted("torch", ("input",), ((2, 4),), None, notes=("the forward pass reads a tensor's contents",), passes=1)

ALL = {"unet": UNET, "language": LANGUAGE, "nothing": NOTHING, "untold": UNTOLD}


@pytest.mark.parametrize("name", ALL)
def test_text(name: str, pytestconfig: pytest.Config) -> None:
    golden.check(f"sizes/{name}.txt", sizes_text(ALL[name]), pytestconfig)


def test_there_is_no_golden_file_too_many() -> None:
    assert golden.names("sizes") == {f"sizes/{name}.txt" for name in ALL}


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("name", ALL)
def test_no_line_is_wider_than_asked(name: str, width: int) -> None:
    """But for the sizes of a table, of which none is left out."""
    lines = sizes_text(ALL[name], width=width).splitlines()
    words = [line for line in lines if "  " not in line]
    assert all(len(line) <= width for line in (lines if width >= 80 else words))


def test_a_terminal_shows_the_same_characters() -> None:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(sizes_rich(UNET))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert [line.rstrip() for line in shown.splitlines()] == [line.rstrip() for line in sizes_text(UNET).splitlines()]


def test_json_has_the_names_of_the_attributes() -> None:
    told = json.loads(as_json(UNET))  # type: ignore[arg-type]
    assert told["instead"] == [[[1, 3, 288, 288]], [[1, 3, 304, 304]]]
    assert told["rows"][2]["accepts"] == {"low": 32, "high": None, "step": 16, "remainders": [0]}
    assert told["rows"][2]["refusals"][0]["location"]["line"] == 41
    assert told["output"] == [["batch", "2", "height", "width"]]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(), "any"),
        (Rule(3, 3), "3 only"),
        (Rule(29), "from 29 on"),
        (Rule(1, 1024), "at most 1,024"),
        (Rule(224, 239), "224 to 239"),
        (Rule(2, None, 2), "even"),
        (Rule(3, None, 2, (1,)), "odd, from 3 on"),
        (Rule(16, None, 16), "multiples of 16"),
        (Rule(32, None, 16), "multiples of 16, from 32 on"),
        (Rule(32, 1024, 32), "multiples of 32, at most 1,024"),
        (Rule(64, 1024, 32), "multiples of 32, from 64 to 1,024"),
        (Rule(17, None, 16, (1,)), "16n + 1, from 17 on"),
        (Rule(3, None, 4, (0, 3)), "4n or 4n + 3"),
        (Rule(28, None, 28, (0, 1, 2, 3)), "28n to 28n + 3, from 28 on"),
    ],
)
def test_rules_in_words(rule: Rule, words: str) -> None:
    assert rule_in_words(rule) == words
