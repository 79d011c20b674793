"""Every rule keeps what its page says: the bad example gives its code and no other, the good one gives nothing."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import pytest
import tensorflow as tf
import torch
from keras import layers
from torch import nn
from torch.nn import functional

import shapewatch
from shapewatch import rules
from shapewatch.flow.junctions import Graph
from shapewatch.recording import Recording, Shape, TensorSpec
from shapewatch.report import Report
from shapewatch.rules import RULES, Case, Finding, Rule
from shapewatch.rules.rule import WORDS
from shapewatch.testing import Tape, assert_no_shape_errors

EXAMPLES = (["Bad", "Good"], ["Bad in Keras", "Good in Keras"], ["Bad", "Good", "Bad in Keras", "Good in Keras"])

FURTHER = ([], ["Fixes"], ["What it can be confused with"], ["Fixes", "What it can be confused with"])

HEADINGS = [["What it means", "Why", *shown, *more] for shown in EXAMPLES for more in FURTHER]

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)

every_rule_of_facts = pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.kinds != WORDS], ids=lambda rule: rule.code
)
"""Without those that only an error's words tell of: of what is recorded they ask nothing."""


def sections(rule: Rule) -> dict[str, str]:
    """The text below each heading of a rule's page."""
    parts = re.split(r"^## (.+)$", rule.page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def watched(code: str) -> Report:
    """The report of an example, run as a program that has imported torch would run it."""
    program = compile("\n".join(line.strip() for line in code.strip().splitlines()), "<example>", "exec")
    session = shapewatch.watch()
    hook = sys.excepthook
    try:
        with session:
            exec(program, {"torch": torch, "nn": nn, "F": functional, "keras": keras, "layers": layers, "tf": tf})
    except (RuntimeError, ValueError, AssertionError, IndexError, TypeError, tf.errors.OpError):
        assert session.report.recording.failure is not None
    finally:
        sys.excepthook = hook  # a process group puts its own there
    return session.report


def bad(rule: Rule) -> str:
    """The first of a page's bad examples."""
    return next(text for heading, text in sections(rule).items() if heading.startswith("Bad"))


def examples(kind: str) -> list[Any]:
    """The examples of a kind on all pages, of each framework that a page speaks of."""
    return [
        pytest.param(rule, text, id=f"{rule.code} {heading}")
        for rule in RULES
        for heading, text in sections(rule).items()
        if heading.startswith(kind)
    ]


@pytest.mark.parametrize("rule, example", examples("Bad"))
def test_the_bad_example_gives_this_code_and_no_other(rule: Rule, example: str) -> None:
    report = watched(example)
    assert [(d.code, d.name, d.severity) for d in report.diagnoses] == [(rule.code, rule.name, rule.severity)]
    assert (report.recording.failure is not None) == (rule.severity == "error")


@pytest.mark.parametrize("rule, example", examples("Good"))
def test_the_good_example_gives_nothing(rule: Rule, example: str) -> None:
    assert rule in RULES
    report = watched(example)
    assert report.recording.failure is None
    assert report.diagnoses == ()
    assert report.calls


@every_rule
def test_a_page_has_its_headings(rule: Rule) -> None:
    title, _, rest = rule.page.partition("\n")
    assert title.endswith(".") and len(title) <= 120
    assert rest.startswith("\n## What it means\n")
    assert list(sections(rule)) in HEADINGS
    assert all(text.strip() for text in sections(rule).values())


# Codes and names


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


@every_rule
def test_a_code_tells_its_severity(rule: Rule) -> None:
    """Within each family of a hundred, x9x is for what ran and looks wrong."""
    assert re.fullmatch(r"SW[1-9]\d\d", rule.code)
    assert (rule.code[3] == "9") == (rule.severity != "error")


CURES = frozenset(
    "use add insert remove replace transpose permute set change make fix project pad crop missing should try call "
    "needs need require requires expected".split()
)


@every_rule
def test_a_name_says_what_is_wrong_and_not_what_to_do(rule: Rule) -> None:
    words = rule.name.split("-")
    assert len(words) > 1 and all(word.isalpha() and word.islower() for word in words)
    assert not CURES & set(words)


@every_rule
def test_a_rule_stands_in_the_file_of_its_name(rule: Rule) -> None:
    assert rule.check.__module__.rpartition(".")[2] == rule.name.replace("-", "_")


def defined() -> Iterator[Rule]:
    for module in pkgutil.iter_modules(rules.__path__):
        for thing in vars(importlib.import_module(f"{rules.__name__}.{module.name}")).values():
            if isinstance(thing, Rule):
                yield thing


def test_every_rule_that_is_written_is_asked() -> None:
    assert {rule.code for rule in defined()} == {rule.code for rule in RULES}


# What rules say


@every_rule
def test_sizes_come_first_and_the_tone_is_plain(rule: Rule) -> None:
    (diagnosis,) = watched(bad(rule)).diagnoses
    said = f"{diagnosis.headline} {diagnosis.explanation}"
    assert not diagnosis.headline.endswith(".")
    assert re.search(r"\d", said)
    assert not re.search(r"\b(invalid|please|oops|sorry|illegal)\b|!(?!=)", said, re.IGNORECASE)


def findings(recording: Recording) -> dict[str, Finding]:
    """What each rule says about the call that failed or, where none did, about any call."""
    graph = Graph(recording)
    unit, failure = graph.failing_unit(), recording.failure
    units = graph.units if unit is None else [unit]
    message = failure.message if failure else ""
    found = {}
    for rule in RULES:
        for call in units:
            finding = None
            if not rule.kinds or call.kind in rule.kinds:
                finding = rule.check(Case(graph, call, message, failure.type if failure else ""))
            if finding is not None:
                found[rule.code] = finding
    return found


def with_shapes(recording: Recording, shapes: dict[int, Shape]) -> Recording:
    values = tuple(
        replace(value, spec=TensorSpec(shapes.get(value.number, value.shape), value.spec.dtype))
        for value in recording.values
    )
    return replace(recording, values=values)


MESSAGE_IS_ENOUGH = frozenset({"SW900"})
RANK_IS_ENOUGH = frozenset({"SW304", "SW509", "SW604", "SW701", "SW802"})
"""Of these the number of axes tells, or the length of a table beside the error's own words."""


@every_rule_of_facts
def test_a_rule_says_nothing_about_unknown_sizes(rule: Rule) -> None:
    recording = watched(bad(rule)).recording
    unknown = {value.number: (None,) * len(value.shape) for value in recording.values}
    assert rule.code in findings(recording)
    said = set(findings(with_shapes(recording, unknown)))
    assert said <= MESSAGE_IS_ENOUGH | ({rule.code} & RANK_IS_ENOUGH)


@every_rule_of_facts
def test_no_rule_breaks_down_where_one_size_is_unknown(rule: Rule) -> None:
    recording = watched(bad(rule)).recording
    for value in recording.values:
        for axis in range(len(value.shape)):
            shape = (*value.shape[:axis], None, *value.shape[axis + 1 :])
            found = findings(with_shapes(recording, {value.number: shape}))
            for finding in found.values():
                said = f"{finding.headline} {finding.explanation}"
                message = recording.failure.message if recording.failure is not None else ""
                assert "None" not in said.replace(message, "") and "None" not in said.partition("It says")[0]


# On recordings written by hand: no framework is needed to try a rule


def test_branches_differ_on_a_tape() -> None:
    tape = Tape("Net")
    x = tape.input(2, 16, 32, 32)
    with tape.inside("layer2.0", "Block", x):
        y = tape.layer("layer2.0.conv1", "conv", x, shape=(2, 32, 16, 16), rank=2)
        tape.fails("add", y, x)
    finding = findings(tape.recording())["SW201"]
    assert finding.headline == "layer2.0 adds two branches that do not fit: channels, height and width differ"
    assert finding.explanation.startswith("main [2, 32, 16, 16] meets skip [2, 16, 32, 32].")
    wanted = {(want.operand, axis): size.exact for want in finding.wants for axis, size in want.demand.items()}
    assert wanted == {(0, 1): 16, (0, 2): 32, (0, 3): 32, (1, 1): 32, (1, 2): 16, (1, 3): 16}


def test_a_reduction_that_is_stretched_is_meant() -> None:
    tape = Tape()
    x = tape.input(2, 16, 32, 32)
    scores = tape.op("mean", x, kind="reduce", shape=(2, 1, 32, 32), dim=1)
    tape.op("add", x, scores)
    assert findings(tape.recording()) == {}


def test_a_layer_of_width_one_that_is_stretched_is_not() -> None:
    tape = Tape()
    x = tape.input(2, 16, 32, 32)
    narrow = tape.layer("score", "conv", x, shape=(2, 1, 32, 32), out_channels=1, rank=2)
    tape.op("add", x, narrow)
    assert set(findings(tape.recording())) == {"SW291"}


def test_a_tape_takes_no_call_after_the_one_that_failed() -> None:
    tape = Tape()
    x = tape.input(2, 3)
    with pytest.raises(ValueError, match="say which"):
        tape.op("add", x, tape.input(2, 4))
    tape.fails("add", x, x)
    with pytest.raises(ValueError, match="ended"):
        tape.op("relu", x)
    recording = tape.recording()
    assert recording.failing_call() is not None and recording.outputs == ()


# The assertion for tests of models


def test_a_model_that_fits_passes_and_gives_its_report() -> None:
    assert assert_no_shape_errors(nn.Linear(3, 4), input_shape=(2, 3)).output == (2, 4)
    assert assert_no_shape_errors(nn.Linear(3, 4), torch.zeros(5, 3)).output == (5, 4)


def test_a_model_that_does_not_fit_fails_with_the_report() -> None:
    with pytest.raises(AssertionError, match=r"SW102 input-width-differs"):
        assert_no_shape_errors(nn.Linear(3, 4), input_shape=(2, 5))


class Counts(nn.Module):
    """What comes out depends on what is in the tensor: no pass on shapes can tell."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[: int(x.sum().item())]


def test_what_could_not_be_followed_is_not_asserted() -> None:
    with pytest.raises(AssertionError, match="Not checked to the end"):
        assert_no_shape_errors(Counts(), input_shape=(2, 5))
