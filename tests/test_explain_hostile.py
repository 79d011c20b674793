"""`explain` and texts that mean no good: nothing they hold may break it, slow it down or reach the terminal."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shapewatch
from shapewatch.messages.explain import explain_text
from shapewatch.messages.log import BLOCK, heard
from shapewatch.messages.tables import patterns
from shapewatch.render import as_json, as_text

MESSAGE = "RuntimeError: The size of tensor a (24) must match the size of tensor b (23) at non-singleton dimension 3\n"


def repeated(text: str) -> Callable[[int], str]:
    return lambda length: text * (length // len(text))


HOSTILE: Mapping[str, Callable[[int], str]] = {
    "brackets": repeated("["),
    "brackets in a message": lambda length: f"Incompatible shapes: {'[' * length} vs. {'[' * length}",
    "shapes in shapes": repeated("[[1]"),
    "a gigantic number": lambda length: f"Expected size {'1' * length} but got size {'2' * length}",
    "a gigantic rank": lambda length: f"Incompatible shapes: [{'1,' * length}1] vs. [2]",
    "spaces in a shape": lambda length: f"Incompatible shapes: [{'1    ' * (length // 5)}z",
    "spaces in a message": lambda length: f"The size{' ' * length}of tensor a must match",
    "words of messages": repeated("expected input shape size of tensor must match dimension "),
    "half a message": repeated("size mismatch for fc.weight: copying a param with shape "),
    "a message": repeated(MESSAGE),
    "quotes": repeated("'"),
    "backslashes": lambda length: f'{{"a": "{chr(92) * length}n Error"}}',
    "escaped newlines": lambda length: '{"a": "' + "\\n  File Error " * (length // 15) + '"}',
    "tags": repeated("<br"),
    "entities": repeated("&lt;"),
    "escapes": repeated("\x1b["),
    "titles": repeated("\x1b]"),
    "NULs": repeated("\0"),
    "surrogates": repeated("\ud800\udfff"),
    "overrides": repeated("\u202e"),
    "longer in lower case": repeated("İ"),
    "a progress bar": repeated("\r 10%|#   | 10/100 [00:01<00:09, 9.41it/s]"),
    "empty lines": repeated("\n"),
    "frames": repeated('  File "train.py", line 3, in forward\n'),
    "tracebacks": repeated("Traceback (most recent call last):\n"),
    "exceptions": repeated("RuntimeError: x\n"),
    "modules": repeated("a."),
    "lines of one width": repeated("x" * 79 + "\n"),
    "ranks": lambda length: "".join(f"[rank{number}]: x\n" for number in range(length // 12)),
}


def seconds(text: str) -> float:
    began = time.process_time()
    shapewatch.explain(text)
    return time.process_time() - began


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_text_takes_more_than_its_length(kind: str) -> None:
    """Four times the text, at most about four times the time; what takes no time at all has no ratio."""
    shapewatch.explain(MESSAGE)  # patterns are compiled when they are first needed
    short, long = (min(seconds(HOSTILE[kind](length)) for _ in range(2)) for length in (40_000, 160_000))
    assert long < 10 * short + 0.3


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_message_is_found_behind_anything(kind: str) -> None:
    diagnosis = shapewatch.explain(f"{HOSTILE[kind](20_000)}\n\n{MESSAGE}")
    assert diagnosis is not None and diagnosis.code == "SW201"


@pytest.mark.parametrize("word", sorted({pattern.words[0] for pattern in patterns()}))
def test_words_of_the_templates_alone(word: str) -> None:
    """Each word that a template is looked for by, over and over: every pattern that it leads to is tried."""
    related = " ".join(next(pattern.words for pattern in patterns() if pattern.words[0] == word))
    assert seconds(f"{related} [1, 2] 3 " * (30_000 // len(related))) < 3


def test_a_million_brackets() -> None:
    assert shapewatch.explain("[" * 1_000_000 + "]" * 1_000_000) is None


def test_a_number_of_a_million_digits_is_no_size() -> None:
    assert (
        shapewatch.explain(f"Expected size {'7' * 1_000_000} but got size 3 for tensor number 1 in the list.") is None
    )


NAMES = ("\x1b[31mred", "a\rb", "\u202egnirts", "a\0b", "\x9b31m", "tab\tname", "line\u2028break", "\ud800")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_reaches_the_terminal(name: str) -> None:
    """Control codes in names, lines of code and messages are taken out or escaped."""
    text = (
        f'Traceback (most recent call last):\n  File "{name}.py", line 3, in {name}\n    {name} = x + y\n'
        f"{MESSAGE}{name} expected, {name} found\n"
    )
    report = explain_text([text])
    assert report is not None
    for written in (as_text(report), as_json(report)):
        assert all(character.isprintable() or character == "\n" for character in written)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(
                [
                    "Traceback (most recent call last):",
                    '  File "a.py", line 3, in f',
                    "    x + y",
                    MESSAGE,
                    "> ",
                    "E   ",
                ]
            ),
        ),
        max_size=12,
    )
)
def test_any_text_is_answered(lines: list[str]) -> None:
    report = explain_text(["\n".join(lines)])
    if report is not None:
        assert all(character.isprintable() or character == "\n" for character in as_text(report))


# Logs that are too big to be held


def log(characters: int, line: str) -> Iterator[str]:
    for number in range(characters // (len(line) * 500)):
        yield "".join(line.format(number * 500 + step) for step in range(500))


LINES = ("epoch 1 step {} loss 0.123 batch size 64 lr 0.0001\n", "epoch 1 step {} loss 0.123 batch size 64 lr 0.0001\r")


@pytest.mark.parametrize("line", LINES, ids=["lines", "one line"])
def test_a_long_log_is_not_held(line: str) -> None:
    def pieces() -> Iterator[str]:
        yield from log(8_000_000, line)
        yield MESSAGE
        yield from log(2_000_000, line)

    tracemalloc.start()
    try:
        found = heard(pieces())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found is not None and found.error.reading.facts["a"] == 24
    assert peak < 6_000_000


@pytest.mark.parametrize("before", [0, 1, BLOCK - len(MESSAGE) // 2, BLOCK - 1, BLOCK, 2 * BLOCK - 10])
def test_a_message_across_the_blocks_of_a_log(before: int) -> None:
    traceback = f'Traceback (most recent call last):\n  File "train.py", line 3, in f\n    x + y\n{MESSAGE}'
    text = "x" * before + "\n" + traceback + "lr 0.0001\n" * (BLOCK // 5)
    found = heard([text])
    assert found is not None and found.others == 0
    assert found.error.user is not None and found.error.user.source == "x + y"


def test_pieces_of_any_length_are_the_same_text() -> None:
    text = "step 1\n" * (BLOCK // 6) + MESSAGE
    whole, small = heard([text]), heard(text[at : at + 977] for at in range(0, len(text), 977))
    assert whole is not None and small is not None
    assert whole.error.reading.facts == small.error.reading.facts
