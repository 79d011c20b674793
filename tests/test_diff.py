"""`shapewatch diff`: what is the same is recognised in whatever framework, and where two passes part is told first."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import golden
import pytest
from test_cli import Ended, assert_one_line, cli, python
from test_render import EVIL, Tape, unseen
from test_report_command import spoiled

from shapewatch.flow.course import course_of
from shapewatch.flow.differences import Comparison, Differs, OnlyIn, compare
from shapewatch.recording import Call, Failure, Layer, Recording, Shape, Span, Value
from shapewatch.render import comparison_json, comparison_text
from shapewatch.render.comparison import Compared
from shapewatch.report import Report


def net(
    width: int = 32,
    stride: int = 2,
    skip_stride: int | None = None,
    size: int | None = 32,
    batch: int | None = 2,
    norm: bool = True,
    skip_first: bool = False,
    classes: int = 10,
    further: bool = False,
) -> Recording:
    """A small residual network in PyTorch, its skip computed after the main branch unless `skip_first`."""
    tape = Tape()
    image = tape.value((batch, 3, size, size), "input", "x")
    tape.enter("", "Net", (image,))
    stem = tape.conv("stem", image, 16, line=10)
    if norm:
        stem = tape.norm("bn", stem)
    stem = tape.relu("relu", stem)
    tape.enter("block", "Block", (stem,))

    def skip() -> int:
        value = tape.conv("block.project", stem, width, 1, stride if skip_stride is None else skip_stride, line=14)
        return tape.norm("block.bn3", value)

    early = skip() if skip_first else None
    main = tape.norm("block.bn1", tape.conv("block.conv1", stem, width, stride=stride, line=12))
    main = tape.norm("block.bn2", tape.conv("block.conv2", tape.relu("block.relu", main), width, line=13))
    side = skip() if early is None else early
    here = Span("net.py", 20, "return self.relu(main + side)", "forward")
    fits = tape.values[main].shape == tape.values[side].shape
    total = tape.op("add", "add", "block", (main, side), tape.values[main].shape if fits else None, here)
    if not fits:
        message = "The size of tensor a (16) must match the size of tensor b (32)"
        return tape.recording(Failure("RuntimeError", message, len(tape.calls) - 1, here))
    value = tape.leave(tape.relu("block.relu2", total))
    if further:
        value = tape.conv("further", value, width, 1, line=15)
    pooled = tape.layer(
        "pool", "AdaptiveAvgPool2d", "adaptive_pool", value, (batch, width, 1, 1), output_size=1, rank=2
    )
    flat = tape.layer("flatten", "Flatten", "flatten", pooled, (batch, width), start_dim=1, end_dim=-1)
    facts = {"in_features": width, "out_features": classes, "bias": True}
    tape.leave(tape.layer("head", "Linear", "linear", flat, (batch, classes), 99, 16, **facts))
    return tape.recording()


def turned(shape: Shape) -> Shape:
    return (shape[0], *shape[2:], shape[1]) if len(shape) == 4 else shape


def ported(recording: Recording) -> Recording:
    """The same network as Keras records it: channels last, other names, activations inside their layers, the mean of
    the image in one layer."""
    dropped = {call.number for call in recording.calls if call.kind in ("activation", "adaptive_pool")}
    kept = [call for call in recording.calls if call.number not in dropped]
    number = {call.number: at for at, call in enumerate(kept)}
    value = {each.number: each.number for each in recording.values}
    for call in recording.calls:  # what an activation gives is what the layer before it gives
        if call.number in dropped:
            value[call.results[0]] = value[call.operands[0]]
    path = {layer.path: layer.path and f"functional/{layer.kind}_{at}" for at, layer in enumerate(recording.layers)}

    def call_of(call: Call) -> Call:
        parent = None if call.parent is None else number[call.parent]
        operands, results = (tuple(value[each] for each in side) for side in (call.operands, call.results))
        kind = "reduce" if call.kind == "flatten" else call.kind
        changed: dict[str, Any] = {"number": number[call.number], "parent": parent, "kind": kind}
        return dataclasses.replace(call, layer=path[call.layer], operands=operands, results=results, **changed)

    def layer_of(layer: Layer) -> Layer:
        facts = dict(layer.facts) | ({"channels_last": True} if "rank" in layer.facts else {})
        if layer.kind == "conv":
            facts |= {"padding": "same", "in_channels": None}
        if layer.kind == "norm":
            facts = {"style": "batch", "num_features": None, "axis": -1}
        kind = "reduce" if layer.kind == "flatten" else layer.kind
        return dataclasses.replace(layer, path=path[layer.path], kind=kind, facts=facts, auto_named=True)

    def value_of(each: Value) -> Value:
        return dataclasses.replace(each, spec=dataclasses.replace(each.spec, shape=turned(each.shape)))

    return dataclasses.replace(
        recording,
        framework="keras",
        calls=tuple(map(call_of, kept)),
        layers=tuple(
            layer_of(layer) for layer in recording.layers if layer.kind not in ("activation", "adaptive_pool")
        ),
        values=tuple(map(value_of, recording.values)),
    )


def found(comparison: Comparison, a: Recording, b: Recording) -> list[str]:
    """The differences of their own: `block.conv1: stride`, `only in b: further`."""
    told = []
    for each in comparison.origins:
        if isinstance(each, OnlyIn):
            calls = (a if each.side == "a" else b).calls
            told.append(f"only in {each.side}: {', '.join(calls[number].layer for number in each.calls)}")
        else:
            what = [setting.name for setting in each.settings] or [axis.axis for axis in each.axes]
            told.append(f"{a.calls[each.a].layer}: {', '.join(what)}")
    return told


def told_of(a: Recording, b: Recording) -> list[str]:
    return found(compare(a, b), a, b)


# What is the same


def test_a_recording_is_the_same_as_itself() -> None:
    comparison = compare(net(), net())
    assert comparison.same and comparison.origins == () and comparison.matches == 15


def test_a_port_is_the_same() -> None:
    for a, b in ((net(), ported(net())), (ported(net()), net())):
        comparison = compare(a, b)
        assert comparison.same, found(comparison, a, b)
        assert comparison.layouts_differ and comparison.matches == 10


def test_so_it_is_when_its_branches_run_in_the_other_order() -> None:
    assert compare(net(), net(skip_first=True)).same
    assert compare(net(), ported(net(skip_first=True))).same


def test_another_batch_is_no_difference() -> None:
    comparison = compare(net(batch=2), net(batch=8))
    assert (comparison.same, comparison.batches) == (True, (2, 8))
    assert compare(net(batch=None), net(batch=8)).batches is None


def test_an_unknown_size_differs_from_nothing() -> None:
    unknown = net()
    values = tuple(
        dataclasses.replace(each, spec=dataclasses.replace(each.spec, shape=(None,) * len(each.shape)))
        for each in unknown.values
    )
    assert compare(net(), dataclasses.replace(unknown, values=values)).same


def test_padding_is_the_same_in_words_and_in_numbers() -> None:
    in_words = changed(net(), "block.conv1", padding="same")
    assert compare(net(), in_words).same
    assert told_of(net(), changed(net(), "block.conv1", padding="valid")) == ["block.conv1: padding"]


def changed(recording: Recording, path: str, **facts: Any) -> Recording:
    layers = tuple(
        dataclasses.replace(layer, facts=dict(layer.facts) | facts) if layer.path == path else layer
        for layer in recording.layers
    )
    return dataclasses.replace(recording, layers=layers)


# Where they part


def test_a_setting_is_where_it_begins_and_the_rest_follows() -> None:
    comparison = compare(net(), net(classes=12))
    assert found(comparison, net(), net(classes=12)) == ["head: out_features"]
    comparison = compare(net(), net(stride=4))
    assert found(comparison, net(), net(stride=4)) == ["block.conv1: stride", "block.project: stride"]
    assert comparison.consequences == 7, "bn1, relu, conv2, bn2, bn3, add, relu2; the pooling gives the same again"
    first = comparison.origins[0]
    assert isinstance(first, Differs)
    assert [(axis.axis, axis.a, axis.b) for axis in first.axes] == [("height", 16, 8), ("width", 16, 8)]


def test_what_a_layer_is_made_for_follows_from_what_it_is_given() -> None:
    wide = ["block.conv1: out_channels", "block.conv2: out_channels", "block.project: out_channels"]
    assert told_of(net(), net(width=48)) == wide


@pytest.mark.parametrize("other", [net(classes=12), net(stride=4), net(width=48)])
def test_so_it_is_across_frameworks(other: Recording) -> None:
    b = ported(other)
    assert told_of(net(), b) == told_of(net(), other)


def test_a_layer_more() -> None:
    assert told_of(net(), net(further=True)) == ["only in b: further"]
    assert told_of(net(further=True), net()) == ["only in a: further"]
    assert told_of(net(), ported(net(further=True)))[0].startswith("only in b: functional/conv")


def test_a_norm_that_a_port_forgot_is_told_though_it_keeps_the_shape() -> None:
    assert told_of(net(), ported(net(norm=False))) == ["only in a: bn"]


def test_another_input_comes_first_and_explains_the_rest() -> None:
    comparison = compare(net(), net(size=33))
    (given,) = comparison.inputs
    assert [(axis.axis, axis.a, axis.b) for axis in given.axes] == [("height", 32, 33), ("width", 32, 33)]
    assert comparison.origins == () and not comparison.same and comparison.consequences


def test_the_first_difference_before_a_failure() -> None:
    healthy, failed = net(), net(skip_stride=1)
    comparison = compare(healthy, failed)
    assert found(comparison, healthy, failed) == ["block.project: stride"]
    assert comparison.failed == (False, True)
    assert comparison.not_reached == 4, "the activation after the sum, the pooling, the flatten and the head"
    assert found(compare(failed, healthy), failed, healthy) == ["block.project: stride"]
    assert told_of(healthy, ported(failed)) == ["block.project: stride"]


def test_a_failure_of_what_was_the_same_is_the_difference() -> None:
    whole = net()
    calls = list(whole.calls)
    add = next(call for call in calls if call.name == "add")
    calls = [
        dataclasses.replace(call, results=(), finished=False) if call == add else call
        for call in calls[: add.number + 1]
    ]
    failed = dataclasses.replace(
        whole, calls=tuple(calls), failure=Failure("RuntimeError", "out of memory", add.number)
    )
    (origin,) = compare(whole, failed).origins
    assert isinstance(origin, Differs) and (origin.failed, origin.a) == ("b", add.number)
    before = dataclasses.replace(whole, failure=Failure("KeyError", "after the pass"))
    comparison = compare(whole, before)
    assert not comparison.same and comparison.origins == ()


def test_of_equal_calls_the_one_is_alone_that_is_fed_by_another_alone() -> None:
    """Two norms of the same size and shape: the one of the skip is missing with its convolution, not the other."""
    b = net()
    gone = {call.number for call in b.calls if call.layer in ("block.project", "block.bn3")}
    side = next(call.results[0] for call in b.calls if call.layer == "block.bn3")
    stem = next(call.results[0] for call in b.calls if call.layer == "relu")
    number = {call.number: at for at, call in enumerate(call for call in b.calls if call.number not in gone)}
    calls = tuple(
        dataclasses.replace(
            call,
            number=number[call.number],
            parent=None if call.parent is None else number[call.parent],
            operands=tuple(stem if operand == side else operand for operand in call.operands),
        )
        for call in b.calls
        if call.number not in gone
    )
    told = told_of(net(skip_first=True), ported(dataclasses.replace(b, calls=calls)))
    assert told[0] == "only in a: block.project, block.bn3"


@pytest.mark.parametrize(
    "other", [net(), net(width=48), net(stride=4), net(size=33), net(further=True), net(norm=False)]
)
@pytest.mark.parametrize("framework", [lambda recording: recording, ported])
def test_it_does_not_matter_which_is_asked_first(other: Recording, framework: Callable[[Recording], Recording]) -> None:
    forth, back = compare(net(), framework(other)), compare(framework(other), net())
    assert (forth.same, forth.matches, forth.consequences) == (back.same, back.matches, back.consequences)
    assert len(forth.origins) == len(back.origins)


# The course of a pass


def test_the_last_of_several_passes_is_taken() -> None:
    """A functional model of Keras calls its layers while it is built, and again when it is called."""
    wide = net(width=48)
    both = after(net(), wide)
    assert [stop.gives for stop in course_of(both).stops] == [stop.gives for stop in course_of(wide).stops]


def built(recording: Recording) -> Recording:
    """How a functional model of these layers is built: each is called by nothing, and nothing else is."""
    kept = [call for call in recording.calls if not call.is_layer or recording.layer_at[call.layer].leaf]
    number = {call.number: at for at, call in enumerate(kept)}
    calls = tuple(dataclasses.replace(call, number=number[call.number], parent=None) for call in kept)
    failure = recording.failure and dataclasses.replace(recording.failure, call=len(calls) - 1)
    return dataclasses.replace(recording, calls=calls, failure=failure)


def after(first: Recording, then: Recording) -> Recording:
    """Two recordings as one, the second after the first."""
    count, values = len(first.calls), len(first.values)
    later = tuple(
        dataclasses.replace(
            call,
            number=call.number + count,
            parent=None if call.parent is None else call.parent + count,
            operands=tuple(operand + values for operand in call.operands),
            results=tuple(result + values for result in call.results),
        )
        for call in then.calls
    )
    moved = tuple(dataclasses.replace(each, number=each.number + values) for each in then.values)
    return dataclasses.replace(then, calls=(*first.calls, *later), values=(*first.values, *moved), inputs=first.inputs)


def test_a_model_that_failed_while_it_was_built_is_laid_beside_the_building_of_the_other() -> None:
    """The healthy one was called afterwards, in another order of branches and on another batch."""
    healthy = after(built(net(batch=None)), net(skip_first=True, batch=7))
    failed = built(net(skip_stride=1, batch=None))
    comparison = compare(healthy, failed)
    assert found(comparison, healthy, failed) == ["block.project: stride"]
    assert all(entry.a < len(built(net()).calls) for entry in comparison.entries if not isinstance(entry, OnlyIn))
    assert compare(healthy, net(batch=7)).matches == compare(net(), net()).matches, "two that were called"


def test_weights_are_no_part_of_a_course() -> None:
    tape = Tape()
    made = tape.op("empty", "create", "", (), (16, 3))
    rows = tape.value((2, 3), "input", "x")
    product = tape.op("matmul", "matmul", "", (rows, made), (2, 16))
    recording = dataclasses.replace(tape.recording(), outputs=(product,))
    assert [stop.call.name for stop in course_of(recording).stops if stop.call.name != "empty"] == ["matmul"]


@pytest.mark.parametrize(("dim", "told"), [(-1, 1), (3, 1), (1, 2), ((1, 2), (2, 3)), (0, 0), (7, 7)])
def test_axes_are_counted_with_the_channels_first(dim: Any, told: Any) -> None:
    tape = Tape()
    image = tape.value((2, 8, 8, 3), "input")
    facts = {"kernel_size": (1, 1), "rank": 2, "channels_last": True}
    value = tape.layer("conv", "Conv2D", "conv", image, (2, 8, 8, 4), 9, **facts)
    tape.layer("concat", "Concatenate", "concat", value, (2, 8, 8, 4), dim=dim)
    stops = course_of(tape.recording()).stops
    assert stops[1].settings == {"dim": told} and stops[1].takes == ((2, 4, 8, 8),)


def test_steps_before_samples_are_read_as_samples_before_steps() -> None:
    """The states that a recurrent layer gives beside its steps have one order in both."""

    def recurrent(batch_first: bool) -> Recording:
        tape = Tape()
        shape = (4, 12, 16) if batch_first else (12, 4, 16)
        rows = tape.value(shape, "input", "x")
        facts = {"input_size": 16, "hidden_size": 32, "batch_first": batch_first}
        tape.layer("lstm", "LSTM", "recurrent", rows, (*shape[:2], 32), 99, 7, **facts)
        (call,) = tape.calls
        tape.calls[0] = dataclasses.replace(call, results=(*call.results, tape.value((1, 4, 32))))
        return tape.recording()

    (first,), (second,) = (course_of(recurrent(batch_first)).stops for batch_first in (True, False))
    assert first.takes == second.takes == ((4, 12, 16),)
    assert first.gives == second.gives == ((4, 12, 32), (1, 4, 32))


# What is said


def compared(a: Recording, b: Recording) -> Compared:
    return Compared(compare(a, b), a, b, ("before.json", "after.json"))


PAIRS: Mapping[str, Callable[[], tuple[Recording, Recording]]] = {
    "same": lambda: (net(), net()),
    "ported": lambda: (net(), ported(net())),
    "port_wide": lambda: (net(), ported(net(width=48, classes=12))),
    "setting": lambda: (net(), net(stride=4, batch=8)),
    "layer_more": lambda: (net(), net(further=True)),
    "failed": lambda: (net(), net(skip_stride=1)),
    "both_failed": lambda: (net(skip_stride=1), net(skip_stride=1)),
    "input": lambda: (net(), net(size=33)),
    "strangers": lambda: (net(), strangers()),
}


def strangers() -> Recording:
    tape = Tape()
    value = tape.value((2, 3, 32, 32), "input", "x")
    for number in range(12):
        value = tape.layer(f"mix.{number}", "Mixer", "other", value, (2, 3, 32, 32), 5, 7)
    return tape.recording()


@pytest.mark.parametrize("name", PAIRS)
def test_reads_as_it_did(name: str, request: pytest.FixtureRequest) -> None:
    golden.check(f"diff/{name}.txt", comparison_text(compared(*PAIRS[name]())), request.config)


def test_every_golden_file_has_its_test() -> None:
    assert golden.names("diff") == {f"diff/{name}.txt" for name in PAIRS}


@pytest.mark.parametrize("name", PAIRS)
def test_no_line_is_wider_than_asked(name: str) -> None:
    for width in (40, 80):
        assert max(map(len, comparison_text(compared(*PAIRS[name]()), width=width).splitlines())) <= width


def test_json_tells_the_same() -> None:
    data = json.loads(comparison_json(compared(*PAIRS["failed"]())))
    assert (data["schema"], data["same"]) == (1, False)
    assert data["a"] == {"file": "before.json", "framework": "torch", "calls": len(net().calls), "failure": None}
    assert data["b"]["failure"]["type"] == "RuntimeError"
    first = data["first"]
    assert (first["kind"], first["a"]["layer"], first["b"]["location"]["line"]) == ("differs", "block.project", 14)
    assert first["settings"] == [{"name": "stride", "a": [2, 2], "b": [1, 1]}]
    assert first == next(each for each in data["differences"] if not each["follows"])
    (end,) = [each for each in data["differences"] if each["kind"] == "only"]
    assert (end["side"], end["not_reached"], end["calls"][-1]["layer"]) == ("a", True, "head")
    assert data["matches"] + data["consequences"] + 1 + len(end["calls"]) == 15


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((2, 32, 8, 8), "stem: given the same, channels are 16 in A, 32 in B"),
        ((2, 16, 4, 4), "stem: given the same, height and width are 8 in A, 4 in B"),
        ((2, 32, 4, 8), "stem: given the same, [2, 16, 8, 8] in A, [2, 32, 4, 8] in B"),
        ((2, 1024), "stem: given the same, [2, 16, 8, 8] in A, [2, 1024] in B"),
    ],
)
def test_another_result_of_what_is_the_same(shape: Shape, told: str) -> None:
    def one(gives: Shape) -> Recording:
        tape = Tape()
        image = tape.value((2, 3, 8, 8), "input", "x")
        tape.layer("stem", "Conv2d", "conv", image, gives, 9, 7, kernel_size=(3, 3), rank=2)
        return tape.recording()

    assert told in comparison_text(compared(one((2, 16, 8, 8)), one(shape)))


def test_of_many_differences_some_are_counted() -> None:
    layers = [f"mix.{number}" for number in range(12)]
    other = strangers()
    for layer in layers:
        other = changed(other, layer, heads=3)
    one = strangers()
    for layer in layers:
        one = changed(one, layer, heads=4)
    text = comparison_text(compared(one, other))
    assert len(re.findall("heads 4 in A, 3 in B", text)) == 9
    assert "… 3 more differences; --format json has them all" in text


def test_nothing_from_a_recording_reaches_the_terminal_unescaped() -> None:
    evil = json.loads(json.dumps(Report(net(skip_stride=1)).to_dict()).replace("block", json.dumps(EVIL)[1:-1]))
    both = compared(net(), Report.from_dict(evil).recording)
    both = dataclasses.replace(both, names=("before.json", f"{EVIL}.json"))
    assert unseen(comparison_text(both)) == unseen(comparison_json(both)) == set()


@pytest.mark.parametrize("b", [net(), ported(net()), net(skip_stride=1)])
def test_a_file_that_was_changed_is_compared_or_refused(b: Recording) -> None:
    whole, chance = Report(b).to_dict(), random.Random(7)
    shown = 0
    for _ in range(150):
        try:
            other = Report.from_dict(spoiled(json.loads(json.dumps(whole)), chance)).recording
        except ValueError:
            continue
        assert all((comparison_text(compared(net(), other)), comparison_json(compared(other, net()))))
        shown += 1
    assert shown


# The command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, recording in {"net": net(), "port": ported(net()), "wide": net(width=48)}.items():
        Report(recording).save(tmp_path / f"{name}.json")
    return tmp_path


def test_the_exit_status_is_whether_they_part(folder: Path) -> None:
    same = cli(folder, "diff", "net.json", "port.json")
    assert (same.code, same.err) == (0, "") and "the same: 10 calls" in same.out
    part = cli(folder, "diff", "net.json", "wide.json")
    assert (part.code, part.err) == (1, "") and "they part at block.conv1: out_channels 32 in A, 48 in B" in part.out


def test_json_and_files(folder: Path) -> None:
    printed = cli(folder, "diff", "net.json", "wide.json", "--format", "json")
    assert (printed.code, json.loads(printed.out)["first"]["a"]["layer"]) == (1, "block.conv1")
    assert cli(folder, "diff", "net.json", "wide.json", "-o", "diff.json") == Ended(1, "", "")
    assert (folder / "diff.json").read_text(encoding="utf-8") == printed.out
    assert cli(folder, "diff", "net.json", "wide.json", "-o", "diff.html") == Ended(1, "", "")
    page = (folder / "diff.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "they part at" in page
    assert cli(folder, "diff", "net.json", "wide.json", "-o", "diff.txt") == Ended(1, "", "")
    assert "they part at" in (folder / "diff.txt").read_text(encoding="utf-8")


def test_one_of_them_may_come_from_standard_input(folder: Path) -> None:
    whole = (folder / "wide.json").read_text(encoding="utf-8")
    assert python(folder, "-m", "shapewatch", "diff", "net.json", "-", stdin=whole).code == 1


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("net.json",), "B.json"),
        ((), "A.json"),
        (("net.json", "prot.json"), "there is no file `prot.json`; did you mean `port.json`?"),
        (("-", "-"), "standard input holds one recording"),
        (
            ("net.json", "port.json", "--format", "sarif"),
            "json or html; leave --format sarif out",
        ),
        (
            ("net.json", "port.json", "--format", "xml"),
            "there is no format `xml`; those of a comparison are text, json, html",
        ),
        (("net.json", "port.json", "-o", "x.sarif"), "a comparison is text, json or html; leave -o x.sarif out"),
        (("net.json", "port.json", "-o", "nowhere/x.txt"), "there is no folder"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], part: str, folder: Path) -> None:
    assert_one_line(cli(folder, "diff", *words), part)


# Real passes


EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize(
    ("a", "b", "code", "part"),
    [
        ("torch/resnet.py", "torch/resnet_lost_projection.py", 1, "they part at layer2.0.downsample.0 and layer2.0."),
        ("torch/transformer_mlp_width.py", "keras/transformer_mlp_width.py", 0, "the same: 22 calls, and both fail"),
        ("keras/unet_odd_input.py", "torch/unet_odd_input.py", 0, "the same: 14 calls, channels first in one"),
    ],
)
def test_examples(a: str, b: str, code: int, part: str, tmp_path: Path) -> None:
    for name, script in (("a.json", a), ("b.json", b)):
        cli(tmp_path, "run", "-o", name, str(EXAMPLES / script))
    ended = cli(tmp_path, "diff", "a.json", "b.json")
    assert (ended.code, ended.err) == (code, "")
    assert part in " ".join(ended.out.split())
