"""JSON both ways: what goes in comes out equal, for every noun, every edit, and recordings of real passes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import shapewatch
from shapewatch import codec, edits, recording, report
from shapewatch.edits import Edit, Input, Insert, Module, Replace, Set, SetCall
from shapewatch.flow import junctions
from shapewatch.flow.junctions import Graph, find_junctions
from shapewatch.recording import Call, Failure, Layer, Recording, Span, TensorSpec, Value
from shapewatch.report import Cause, Diagnosis, Fix, Report
from shapewatch.testing import Tape

properties = settings(deadline=None, derandomize=True, max_examples=60)


def through_json(hint: Any, value: Any) -> Any:
    return codec.decode(hint, json.loads(json.dumps(codec.encode(value))))


# One strategy a noun. Facts hold what adapters put there: numbers, strings, and tuples of them.

texts = st.text(max_size=8)
numbers = st.integers(0, 99)
sizes = st.one_of(st.none(), st.integers(0, 4096))
shapes = st.lists(sizes, max_size=5).map(tuple)
plain = st.one_of(st.none(), st.booleans(), st.integers(-9, 99), st.floats(allow_nan=False), texts)
facts = st.dictionaries(texts, st.recursive(plain, lambda inner: st.lists(inner, max_size=3).map(tuple)), max_size=3)
some_numbers = st.lists(numbers, max_size=3).map(tuple)

spans = st.builds(Span, texts, numbers, st.none() | texts, texts)
maybe_spans = st.none() | spans
specs = st.builds(TensorSpec, shapes, texts, texts)
origins = st.sampled_from(get_args(recording.Origin))
values = st.builds(Value, numbers, specs, origins, st.none() | texts)
layers = st.builds(Layer, texts, texts, texts, facts, numbers, st.booleans(), maybe_spans)
calls = st.builds(
    Call, numbers, texts, texts, texts, st.booleans(), st.none() | numbers, some_numbers, some_numbers, facts,
    maybe_spans, numbers, st.booleans(),
)  # fmt: skip
failures = st.builds(Failure, texts, texts, st.none() | numbers, maybe_spans)
modules = st.recursive(
    st.builds(Module, texts, facts),
    lambda inner: st.builds(Module, texts, facts, st.lists(inner, max_size=2).map(tuple)),
)
some_edits = st.one_of(
    st.builds(Set, texts, texts, plain, plain),
    st.builds(SetCall, texts, texts, plain, plain),
    st.builds(Insert, texts, numbers, modules),
    st.builds(Replace, texts, modules),
    st.builds(Input, numbers, texts, facts, shapes),
)
recordings = st.builds(
    Recording, texts, st.lists(values, max_size=3).map(tuple), st.lists(calls, max_size=3).map(tuple),
    st.lists(layers, max_size=3).map(tuple), some_numbers, some_numbers, st.none() | failures, texts, st.booleans(),
)  # fmt: skip
causes = st.builds(Cause, st.none() | texts, texts, maybe_spans, texts)
fixes = st.builds(
    Fix, texts, texts, facts, st.lists(some_edits, max_size=2).map(tuple), texts,
    st.sampled_from(["forward", "junction", False, None]), st.none() | texts, shapes, st.none() | numbers,
    st.lists(texts, max_size=2).map(tuple), st.none() | texts,
)  # fmt: skip
diagnoses = st.builds(
    Diagnosis, texts, texts, st.sampled_from(["error", "warning", "note"]), texts, texts, st.none() | causes,
    maybe_spans, st.none(), st.lists(fixes, max_size=2).map(tuple), st.none() | texts,
)  # fmt: skip


@properties
@given(recordings)
def test_recordings(value: Recording) -> None:
    assert through_json(Recording, value) == value


@properties
@given(some_edits)
def test_edits(value: Edit) -> None:
    decoded = through_json(Edit, value)
    assert decoded == value and type(decoded) is type(value)


@properties
@given(diagnoses)
def test_diagnoses(value: Diagnosis) -> None:
    assert through_json(Diagnosis, value) == value


@pytest.mark.parametrize("edit", get_args(Edit), ids=lambda edit: edit.__name__)
def test_every_edit_says_which_it_is(edit: Any) -> None:
    blank = {field.name: None for field in dataclasses.fields(edit)}
    assert codec.encode(edit(**blank))["is"] == edit.__name__


def test_what_is_no_member_of_a_union_carries_no_mark() -> None:
    assert "is" not in codec.encode(TensorSpec((1,)))
    assert "is" not in codec.encode(Module("conv"))


def test_what_json_has_no_word_for_is_written_as_text() -> None:
    assert codec.encode({"dtype": torch.float32, 1: {2}}) == {"dtype": "torch.float32", "1": "{2}"}


def test_names_that_a_noun_has_got_since_have_their_defaults() -> None:
    written = codec.encode(Layer("a", "Linear", "linear"))
    del written["leaf"], written["parameters"]
    assert codec.decode(Layer, written) == Layer("a", "Linear", "linear")


@pytest.mark.parametrize("module", [recording, edits, junctions, report], ids=lambda module: module.__name__)
def test_nouns_are_frozen(module: Any) -> None:
    nouns = [thing for thing in vars(module).values() if isinstance(thing, type) and dataclasses.is_dataclass(thing)]
    assert nouns and all(noun.__dataclass_params__.frozen for noun in nouns)  # type: ignore[attr-defined]


# Reports


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(4, 8, 3, 2, 1)
        self.conv2 = nn.Conv2d(8, 8, 3, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv2(torch.relu(self.conv1(x))) + x


def failed() -> Report:
    return shapewatch.check(nn.Sequential(nn.Conv2d(3, 4, 1), Block()), input_shape=(1, 3, 8, 8))


def healthy() -> Report:
    return shapewatch.check(nn.LSTM(4, 6), input_shape=(5, 1, 4))


@pytest.mark.parametrize("made", [failed, healthy])
def test_a_report_of_a_real_pass(made: Any, tmp_path: Path) -> None:
    """Loaded, it is the same report; what a fix has to do is known from the file alone."""
    was = made()
    assert was.calls
    loaded = Report.load(was.save(tmp_path / "report.json"))
    assert loaded.recording == was.recording
    assert loaded.junctions == was.junctions
    assert loaded.diagnoses == was.diagnoses
    assert loaded == was
    assert loaded.to_json() == was.to_json()
    assert str(loaded) == str(was)


def test_junctions_are_found_again_in_a_loaded_recording(tmp_path: Path) -> None:
    was = failed()
    loaded = Report.load(was.save(tmp_path / "report.json"))
    assert find_junctions(Graph(loaded.recording)) == was.junctions != ()


def test_a_loaded_fix_can_be_applied(tmp_path: Path) -> None:
    loaded = Report.load(failed().save(tmp_path / "report.json"))
    fix = loaded.diagnoses[0].fixes[0]
    model = nn.Sequential(nn.Conv2d(3, 4, 1), Block())
    assert fix.verified == "forward"
    with fix.applied(model):
        assert tuple(model(torch.zeros(1, 3, 8, 8)).shape) == fix.output_shape


def test_names_in_the_json_are_those_of_the_attributes() -> None:
    was = failed()
    written = json.loads(was.to_json())
    assert written["schema"] == 1
    assert {"ok", "frameworks", "calls", "junctions", "diagnoses", "output"} <= written.keys()
    first, diagnosis = written["diagnoses"][0], was.diagnoses[0]
    assert diagnosis.cause is not None and first["cause"]["layer"] == diagnosis.cause.layer
    assert first["junction"]["branches"][0]["shape"] == list(diagnosis.junction.branches[0].shape)  # type: ignore[union-attr]
    assert first["fixes"][0]["edit"] == codec.encode(diagnosis.fixes[0].edit)
    assert isinstance(first["fixes"][0]["edit"], Mapping)


def test_an_unknown_size_is_null() -> None:
    tape = Tape()
    tape.op("relu", tape.input(2, None, 4))
    written = json.loads(Report(tape.recording()).to_json())
    assert written["calls"][1]["output_shapes"] == [[2, None, 4]]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{}", "no `schema`"),
        ("[]", "no `schema`"),
        ('{"schema": 999}', "schema 999"),
        ("epoch 1: loss 0.3", "not JSON"),
    ],
)
def test_what_is_no_report_is_told_so(written: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(written)
    with pytest.raises(ValueError, match=said):
        Report.load(file)
