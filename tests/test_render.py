"""What a report looks like. The reports are written by hand; no framework is needed to read one."""

from __future__ import annotations

import ast
import dataclasses
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import golden
import pytest

import shapewatch
from shapewatch.flow.junctions import Branch, Fork, Junction, Step
from shapewatch.recording import Call, Failure, Layer, Recording, Shape, Span, TensorSpec, Value
from shapewatch.render import (
    FORMATS,
    as_rich,
    as_text,
    naming,
    note_of,
    summary_rich,
    summary_text,
    write_report,
)
from shapewatch.render.document import Code, Document, Line, Paragraph, Run, escape, runs
from shapewatch.render.folding import fold
from shapewatch.render.layout import cells
from shapewatch.render.plain import plain
from shapewatch.report import Cause, Diagnosis, Fix, Report

# Recordings by hand


class Tape:
    """Writes a recording call by call, and the branches that run through it."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.calls: list[Call] = []
        self.layers: dict[str, Layer] = {}
        self.open: list[Call] = []

    def value(self, shape: Shape, origin: Any = "call", name: str | None = None) -> int:
        self.values.append(Value(len(self.values), TensorSpec(shape), origin, name))
        return len(self.values) - 1

    def enter(self, path: str, type: str, operands: tuple[int, ...], parameters: int = 0) -> Call:
        self.layers[path] = Layer(path, type, "module", {}, parameters, leaf=False)
        call = self._call(path.rpartition(".")[2], "module", path, True, operands, (), None, finished=False)
        self.open.append(call)
        return call

    def leave(self, result: int) -> int:
        call = self.open.pop()
        self.calls[call.number] = dataclasses.replace(call, results=(result,), finished=True)
        return result

    def layer(
        self,
        path: str,
        type: str,
        kind: str,
        operand: int,
        shape: Shape,
        parameters: int = 0,
        line: int = 0,
        **facts: Any,
    ) -> int:
        self.layers[path] = Layer(path, type, kind, facts, parameters)
        span = Span("train.py", line) if line else None
        result = self.value(shape)
        self._call(path.rpartition(".")[2], kind, path, True, (operand,), (result,), span)
        return result

    def conv(self, path: str, operand: int, out: int, kernel: int = 3, stride: int = 1, line: int = 0) -> int:
        batch, channels, *image = self.values[operand].shape
        facts = {
            "in_channels": channels,
            "out_channels": out,
            "kernel_size": (kernel, kernel),
            "stride": (stride, stride),
            "padding": (kernel // 2, kernel // 2),
            "dilation": (1, 1),
            "groups": 1,
            "rank": 2,
        }
        shape = (batch, out, *((size - 1) // stride + 1 for size in image))
        return self.layer(path, "Conv2d", "conv", operand, shape, channels * out * kernel**2, line, **facts)

    def norm(self, path: str, operand: int) -> int:
        shape = self.values[operand].shape
        facts = {"style": "batch", "num_features": shape[1], "rank": 2}
        return self.layer(path, "BatchNorm2d", "norm", operand, shape, 2 * shape[1], **facts)

    def relu(self, path: str, operand: int) -> int:
        return self.layer(path, "ReLU", "activation", operand, self.values[operand].shape)

    def op(
        self,
        name: str,
        kind: str,
        layer: str,
        operands: tuple[int, ...],
        shape: Shape | None,
        span: Span | None = None,
    ) -> int:
        """An operation; with no shape, the one that raises."""
        results = () if shape is None else (self.value(shape),)
        self._call(name, kind, layer, False, operands, results, span, finished=shape is not None)
        return results[0] if results else -1

    def branch(self, role: Any, operand: int, fork: int | None, end: int) -> Branch:
        """The branch that ends in a value, followed back to the fork."""
        made = {number: call for call in self.calls for number in call.results if not self._container(call)}
        path: list[Step] = []
        value = end
        while value != fork and value in made:
            call = made[value]
            shape = self.values[value].shape
            path.insert(
                0,
                Step(call.number, call.name, call.kind, call.layer if call.is_layer else None, shape, call.span),
            )
            value = call.operands[0]
        return Branch(role, self.values[end].shape, tuple(path), operand, end)

    def recording(self, failure: Failure | None = None) -> Recording:
        inputs = tuple(value.number for value in self.values if value.origin == "input")
        return Recording(
            "torch", tuple(self.values), tuple(self.calls), tuple(self.layers.values()), inputs, (), failure
        )

    def _container(self, call: Call) -> bool:
        return call.is_layer and not self.layers[call.layer].leaf

    def _call(
        self,
        name: str,
        kind: str,
        layer: str,
        is_layer: bool,
        operands: tuple[int, ...],
        results: tuple[int, ...],
        span: Span | None,
        finished: bool = True,
    ) -> Call:
        parent = self.open[-1].number if self.open else None
        call = Call(len(self.calls), name, kind, layer, is_layer, parent, operands, results, {}, span, 0, finished)
        self.calls.append(call)
        return call


def fix(title: str, code: str, **details: Any) -> Fix:
    return Fix(title, code, {}, (), "torch", **details)


# The reports


def residual() -> Report:
    """A residual block whose main branch changes size and whose skip does not."""
    tape = Tape()
    image = tape.value((2, 3, 32, 32), "input", "x")
    tape.enter("", "Net", (image,), 19_562)
    stem = tape.relu("relu", tape.norm("bn1", tape.conv("conv1", image, 16, line=52)))
    tape.enter("layer2", "Sequential", (stem,), 14_016)
    tape.enter("layer2.0", "BasicBlock", (stem,), 14_016)
    main = tape.conv("layer2.0.conv1", stem, 32, stride=2, line=36)
    main = tape.relu("layer2.0.relu", tape.norm("layer2.0.bn1", main))
    main = tape.norm("layer2.0.bn2", tape.conv("layer2.0.conv2", main, 32, line=37))
    here = Span("train.py", 41, "out += identity", "forward")
    tape.op("add", "add", "layer2.0", (main, stem), None, here)
    tape.layers["layer2.0"] = dataclasses.replace(
        tape.layers["layer2.0"],
        defined=Span("train.py", 56, "self.layer2 = nn.Sequential(BasicBlock(16, 32, 2))"),
    )
    tape.layers["fc"] = Layer("fc", "Linear", "linear", {"in_features": 32, "out_features": 10}, 330)
    junction = Junction(
        id="layer2.0:add:0",
        kind="add",
        layer="layer2.0",
        location=here,
        branches=(tape.branch("main", 0, stem, main), tape.branch("skip", 1, stem, stem)),
        fork=Fork(stem, tape.values[stem].shape, "relu"),
        status="mismatch",
        axes=(1, 2, 3),
        call=len(tape.calls) - 1,
    )
    failure = Failure(
        "RuntimeError",
        "The size of tensor a (16) must match the size of tensor b (32) at non-singleton dimension 3",
        len(tape.calls) - 1,
        here,
    )
    diagnosis = Diagnosis(
        code="SW201",
        name="branches-differ",
        severity="error",
        headline="layer2.0 adds two branches that do not fit: channels, height and width differ",
        explanation="The main branch of layer2.0 gives [2, 32, 16, 16], its skip [2, 16, 32, 32].",
        cause=Cause(
            "layer2.0",
            "BasicBlock",
            tape.layers["layer2.0"].defined,
            "changes size on its main branch and has no projection on its skip",
        ),
        location=here,
        junction=junction,
        fixes=(
            fix(
                "a projection on the skip of layer2.0",
                "self.shortcut = nn.Sequential("
                "nn.Conv2d(16, 32, 1, stride=2, bias=False), nn.BatchNorm2d(32))\n"
                "out += self.shortcut(identity)",
                verified="forward",
                output_shape=(2, 10),
                parameters_added=576,
                evidence=("layer3.0 and layer4.0 have one",),
            ),
            fix(
                "conv1 with stride 1 and 16 filters, if layer2.0 is not meant to shrink",
                "self.conv1 = nn.Conv2d(16, 16, kernel_size=3, padding=1, bias=False)",
                verified="forward",
                output_shape=(2, 10),
                parameters_added=-2304,
            ),
        ),
    )
    return Report(tape.recording(failure), (junction,), (diagnosis,))


def unet() -> Report:
    """A U-Net whose decoder does not come back to the size that its skip has: 75 is odd."""
    tape = Tape()
    image = tape.value((1, 3, 150, 150), "input", "x")
    tape.enter("", "UNet", (image,), 1_928_417)
    value = image
    skips = {}
    for level, channels in enumerate((32, 64, 128, 256)):
        for number in (1, 2):
            path = f"down{level}"
            value = tape.conv(f"{path}.conv{number}", value, channels, line=20 + number)
            value = tape.relu(f"{path}.relu{number}", tape.norm(f"{path}.bn{number}", value))
        skips[level] = value
        if level < 3:
            batch, _, height, width = tape.values[value].shape
            small = (batch, channels, height // 2, width // 2)
            kernel = {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "rank": 2}
            value = tape.layer(f"pool{level}", "MaxPool2d", "pool", value, small, line=60, **kernel)
    for level, channels in ((2, 128), (1, 64)):
        batch, before, height, width = tape.values[value].shape
        facts = {"in_channels": before, "out_channels": channels, **kernel}
        large = (batch, channels, 2 * height, 2 * width)
        value = tape.layer(f"up{level}", "ConvTranspose2d", "conv_transpose", value, large, 4, 64, **facts)
        if level == 2:
            for number in (1, 2):
                value = tape.conv(f"merge{level}.conv{number}", value, channels)
                value = tape.relu(f"merge{level}.relu{number}", tape.norm(f"merge{level}.bn{number}", value))
    here = Span("unet.py", 71, "x = torch.cat([x, skips[level]], dim=1)", "forward")
    tape.op("cat", "concat", "", (value, skips[1]), None, here)
    junction = Junction(
        id=":cat:0",
        kind="concat",
        layer="",
        location=here,
        branches=(tape.branch("main", 0, skips[1], value), tape.branch("skip", 1, skips[1], skips[1])),
        fork=Fork(skips[1], tape.values[skips[1]].shape, "down1.relu2"),
        status="mismatch",
        axes=(2, 3),
    )
    failure = Failure(
        "RuntimeError",
        "Sizes of tensors must match except in dimension 1. "
        "Expected size 72 but got size 75 for tensor number 1 in the list.",
        len(tape.calls) - 1,
        here,
    )
    diagnosis = Diagnosis(
        code="SW401",
        name="concat-sizes-differ",
        severity="error",
        headline="the model concatenates height and width 72 with 75",
        explanation="Halving 75 gives 37, and doubling that gives 74.",
        cause=Cause(
            "pool1",
            "MaxPool2d",
            Span("unet.py", 60, "x = self.pool1(x)"),
            "halves 75, which is odd: 37 is left",
        ),
        location=here,
        junction=junction,
        fixes=(
            fix(
                "inputs whose height and width are multiples of 8",
                "x = F.pad(x, (0, -x.shape[-1] % 8, 0, -x.shape[-2] % 8))",
                verified="forward",
                output_shape=(1, 1, 152, 152),
                parameters_added=0,
            ),
            fix(
                "the decoder's tensor resized to its skip",
                "x = F.interpolate(x, size=skips[level].shape[-2:])",
                verified="forward",
                output_shape=(1, 1, 150, 150),
                parameters_added=0,
            ),
        ),
    )
    return Report(tape.recording(failure), (junction,), (diagnosis,))


def linear() -> Report:
    """A product whose inner sizes differ: there is no junction to draw."""
    tape = Tape()
    image = tape.value((8, 3, 32, 32), "input", "x")
    tape.enter("", "Classifier", (image,), 2_360_000)
    flat = tape.layer("flatten", "Flatten", "flatten", image, (8, 3072), start_dim=1, end_dim=-1)
    here = Span("mlp.py", 18, "x = self.fc1(x)", "forward")
    tape.layers["fc1"] = Layer("fc1", "Linear", "linear", {"in_features": 3080, "out_features": 768}, 2_366_208)
    tape.calls.append(Call(len(tape.calls), "fc1", "linear", "fc1", True, 0, (flat,), (), {}, here, 0, False))
    failure = Failure(
        "RuntimeError",
        "mat1 and mat2 shapes cannot be multiplied (8x3072 and 3080x768)",
        len(tape.calls) - 1,
        here,
    )
    diagnosis = Diagnosis(
        code="SW101",
        name="inner-dims-differ",
        severity="error",
        headline="fc1 takes 3080 features and gets [8, 3072]",
        explanation="3072 is 3 x 32 x 32, the image that flatten gives in one row.\nfc1 was made for 3080.",
        cause=Cause(
            "fc1",
            "Linear",
            Span("mlp.py", 11, "self.fc1 = nn.Linear(3080, 768)"),
            "is made for 3080 features, 8 too many",
        ),
        location=here,
        layer="fc1",
        fixes=(
            fix(
                "fc1: in_features 3072 instead of 3080",
                "self.fc1 = nn.Linear(3072, 768)  # in_features was 3080",
                verified="forward",
                output_shape=(8, 10),
                parameters_added=-6144,
                evidence=(
                    "the other 11 blocks of the model take 3072",
                    "the input gives 3072 for every image size of 32",
                ),
            ),
        ),
    )
    return Report(tape.recording(failure), (), (diagnosis,))


def unverified() -> Report:
    """A fix that could not be tried, one that does not help, and one proven at the junction only."""
    whole = residual()
    (diagnosis,) = whole.diagnoses
    first, second = diagnosis.fixes
    fixes = (
        dataclasses.replace(
            first,
            verified=None,
            output_shape=None,
            parameters_added=None,
            evidence=(),
            why_not="the forward pass reads a tensor's values (train.py:29), which shapes alone do not have",
        ),
        dataclasses.replace(second, verified="junction", output_shape=None, why_not="the same"),
        fix("conv2 with stride 2", "self.conv2 = nn.Conv2d(32, 32, 3, stride=2)", verified=False),
    )
    return dataclasses.replace(whole, diagnoses=(dataclasses.replace(diagnosis, fixes=fixes),))


def junction_only() -> Report:
    whole = residual()
    (diagnosis,) = whole.diagnoses
    only = dataclasses.replace(
        diagnosis.fixes[0],
        verified="junction",
        output_shape=None,
        evidence=(),
        why_not="layer3.0 calls a compiled extension",
    )
    return dataclasses.replace(whole, diagnoses=(dataclasses.replace(diagnosis, fixes=(only,)),))


def healthy() -> Report:
    """A residual block whose branches meet, in a model that calls one layer twice and another never."""
    tape = Tape()
    image = tape.value((2, 3, 32, 32), "input", "x")
    tape.enter("", "Net", (image,), 5_114)
    stem = tape.conv("conv1", image, 16)
    tape.enter("layer1.0", "BasicBlock", (stem,), 4_672)
    main = tape.norm("layer1.0.bn1", tape.conv("layer1.0.conv1", stem, 16))
    main = tape.norm("layer1.0.bn2", tape.conv("layer1.0.conv2", tape.relu("layer1.0.relu", main), 16))
    here = Span("train.py", 41, "out += identity", "forward")
    junction = Junction(
        id="layer1.0:add:0",
        kind="add",
        layer="layer1.0",
        location=here,
        branches=(tape.branch("main", 0, stem, main), tape.branch("skip", 1, stem, stem)),
        fork=Fork(stem, tape.values[stem].shape, "conv1"),
        status="ok",
        call=len(tape.calls),
    )
    total = tape.op("add", "add", "layer1.0", (main, stem), tape.values[main].shape, here)
    total = tape.leave(tape.relu("layer1.0.relu", total))
    pooled = tape.layer("pool", "AdaptiveAvgPool2d", "adaptive_pool", total, (2, 16, 1, 1), output_size=1, rank=2)
    flat = tape.op("flatten", "flatten", "", (pooled,), (2, 16))
    tape.leave(tape.layer("fc", "Linear", "linear", flat, (2, 10), 170, in_features=16, out_features=10))
    tape.layers["aux"] = Layer("aux", "Linear", "linear", {"in_features": 16, "out_features": 10}, 170)
    return Report(tape.recording(), (junction,), (), (2, 10))


def broadcast() -> Report:
    """A column and a row that become a square: nothing raises."""
    tape = Tape()
    features = tape.value((32, 20), "input", "features")
    target = tape.value((32,), "input", "target")
    tape.enter("", "Regressor", (features,), 21)
    guess = tape.layer("head", "Linear", "linear", features, (32, 1), 21, 30, in_features=20, out_features=1)
    tape.leave(guess)
    here = Span("regress.py", 33, "loss = ((prediction - target) ** 2).mean()", "train")
    square = tape.op("sub", "sub", "", (guess, target), (32, 32), here)
    tape.op("mean", "reduce", "", (square,), ())
    junction = Junction(
        id=":sub:0",
        kind="sub",
        layer="",
        location=here,
        branches=(tape.branch("main", 0, None, guess), tape.branch("skip", 1, None, target)),
        fork=None,
        status="broadcast",
        axes=(0, 1),
    )
    diagnosis = Diagnosis(
        code="SW291",
        name="silent-broadcast",
        severity="warning",
        headline="[32, 1] minus [32] gives [32, 32]: every prediction meets every target",
        explanation="",
        cause=Cause(
            None,
            "sub",
            here,
            "the target has no axis 1; nothing raises, and the loss is that of another problem",
        ),
        location=here,
        junction=junction,
        fixes=(
            fix(
                "the last axis of the prediction dropped",
                "loss = ((prediction.squeeze(-1) - target) ** 2).mean()",
                verified="forward",
                output_shape=(),
                parameters_added=0,
            ),
        ),
    )
    return Report(tape.recording(), (junction,), (diagnosis,), ((32, 1),))


def two() -> Report:
    """A dry run that went on past an error, and found a warning."""
    error, warning = linear(), broadcast()
    diagnoses = (*error.diagnoses, *warning.diagnoses)
    return dataclasses.replace(warning, diagnoses=diagnoses, notes=("2 threads ran a forward pass; one was recorded",))


def unexplained() -> Report:
    """An exception that no rule knows."""
    return dataclasses.replace(residual(), diagnoses=())


def attention() -> Report:
    """Branches on four axes that no kernel ever saw, unknown sizes, and no cause."""
    tape = Tape()
    tokens = tape.value((None, 12, 64, 64), "input")
    mask = tape.value((None, 1, 80, 80), "buffer", "mask")
    here = Span("attend.py", 9, "scores = scores + self.mask", "forward")
    scores = tape.op("softmax", "squash", "", (tokens,), (None, 12, 64, 64))
    tape.op("add", "add", "", (scores, mask), None, here)
    branches = (tape.branch("main", 0, None, scores), tape.branch("skip", 1, None, mask))
    junction = Junction(":add:0", "add", "", here, branches, None, "mismatch", (2, 3))
    diagnosis = Diagnosis(
        "SW201",
        "branches-differ",
        "error",
        "[?, 12, 64, 64] and [?, 1, 80, 80] do not add",
        "",
        None,
        here,
        junction,
    )
    return Report(tape.recording(Failure("RuntimeError", "", len(tape.calls) - 1, here)), (junction,), (diagnosis,))


def dense() -> Report:
    """One of many branches does not fit."""
    tape = Tape()
    fork = tape.value((1, 64, 56, 56), "input")
    ends = [tape.conv(f"block.layer{n}.conv", fork, 32, stride=2 if n == 5 else 1, line=n) for n in range(12)]
    here = Span("dense.py", 12, "return torch.cat(features, 1)", "forward")
    tape.op("cat", "concat", "block", tuple(ends), None, here)
    branches = tuple(tape.branch("main" if n == 0 else "skip", n, fork, end) for n, end in enumerate(ends))
    junction = Junction(
        "block:cat:0", "concat", "block", here, branches, Fork(fork, (1, 64, 56, 56), ""), "mismatch", (2, 3)
    )
    diagnosis = Diagnosis(
        "SW401",
        "concat-sizes-differ",
        "error",
        "block concatenates height and width 28 with 56",
        "",
        Cause("block.layer5.conv", "Conv2d", None, "has stride 2; the other 11 have stride 1"),
        here,
        junction,
    )
    return Report(
        tape.recording(Failure("RuntimeError", "Sizes of tensors must match", None, here)),
        (junction,),
        (diagnosis,),
    )


EVIL = "\x1b[31mred\x1b[0m\r\x07\x9b2J\u202egnp\u2066.\udc80 \U0001f600"


def hostile() -> Report:
    """Every string from the watched program tries to do something to the terminal."""
    whole = residual()
    data = json.loads(json.dumps(whole.to_dict()).replace("layer2.0", json.dumps(EVIL)[1:-1]))
    for word in ("out += identity", "bn2", "BasicBlock", "RuntimeError", "relu"):
        data = json.loads(json.dumps(data).replace(word, json.dumps(f"{word}{EVIL}")[1:-1]))
    data["failure"]["message"] = f"{EVIL}\nsecond line {EVIL}"
    data["notes"] = [EVIL]
    return Report.from_dict(data)


REPORTS: Mapping[str, Callable[[], Report]] = {
    "residual": residual,
    "unet": unet,
    "linear": linear,
    "unverified": unverified,
    "junction_only": junction_only,
    "healthy": healthy,
    "broadcast": broadcast,
    "two": two,
    "unexplained": unexplained,
    "attention": attention,
    "dense": dense,
    "hostile": hostile,
}

SUMMARIES = ("healthy", "residual", "unet")

TEXTS: Mapping[str, Callable[[], str]] = {
    **{name: lambda make=make: as_text(make()) for name, make in REPORTS.items()},
    **{
        f"{name}.full": lambda name=name: as_text(REPORTS[name](), full=True)
        for name in ("residual", "unet", "unverified")
    },
    **{f"{name}.summary": lambda name=name: summary_text(REPORTS[name]()) for name in SUMMARIES},
    "residual.note": lambda: note_of(residual()),
    "residual.narrow": lambda: as_text(residual(), width=56),
    "residual.wide": lambda: as_text(residual(), width=110),
}


@pytest.mark.parametrize("name", TEXTS)
def test_reads_as_it_did(name: str, request: pytest.FixtureRequest) -> None:
    golden.check(f"render/{name}.txt", TEXTS[name](), request.config)


def test_every_golden_file_has_its_test() -> None:
    assert golden.names("render") == {f"render/{name}.txt" for name in TEXTS}


# What holds for every report


def unseen(text: str) -> set[str]:
    """What a terminal would act on, or could not show."""
    return {character for character in text if not character.isprintable() and character != "\n"}


@pytest.mark.parametrize("width", [40, 57, 80, 120])
@pytest.mark.parametrize("name", REPORTS)
def test_no_line_is_wider_than_asked_but_code_to_paste(name: str, width: int) -> None:
    report = REPORTS[name]()
    code = "\n".join(fix.code for diagnosis in report.diagnoses for fix in diagnosis.fixes)
    pieces = " ".join(code.split())
    for text in (
        as_text(report, width=width),
        as_text(report, width=width, full=True),
        summary_text(report, width=width),
    ):
        wide = [line for line in text.splitlines() if cells(line) > width]
        assert [line for line in wide if line.removeprefix("fix").strip().rstrip(",") not in pieces] == []
        assert text == "\n".join(line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("name", REPORTS)
def test_nothing_from_the_program_reaches_the_terminal_unescaped(name: str) -> None:
    report = REPORTS[name]()
    texts = [as_text(report), as_text(report, full=True), note_of(report), summary_text(report)]
    texts += [format.write(report) for format in FORMATS.values()]
    assert [unseen(text) for text in texts] == [set()] * len(texts)


def test_a_hostile_report_is_hostile() -> None:
    """Else the test above would show nothing."""
    report = hostile()
    assert report.recording.failure is not None
    names = [layer.path for layer in report.layers]
    said = [report.recording.failure.message, report.diagnoses[0].headline, *report.notes, *names]
    assert all({"\x1b", "\r", "\x07", "\x9b", "\u202e", "\udc80"} <= unseen(text) for text in said if "red" in text)
    assert sum("red" in text for text in said) > 6


def print_with_rich(renderable: object, width: int, colour: bool = False) -> str:
    from rich.console import Console

    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
    )
    console.print(renderable)
    return stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("name", REPORTS)
def test_a_terminal_shows_the_same_characters(name: str, width: int) -> None:
    report = REPORTS[name]()
    assert print_with_rich(as_rich(report), width) == as_text(report, width=width) + "\n"
    assert print_with_rich(summary_rich(report), width) == summary_text(report, width=width) + "\n"


@pytest.mark.parametrize("name", REPORTS)
def test_colour_adds_colour_and_nothing_else(name: str) -> None:
    report = REPORTS[name]()
    coloured = print_with_rich(report, 80, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == as_text(report) + "\n"


def test_a_wide_terminal_keeps_the_report_together() -> None:
    assert print_with_rich(as_rich(residual()), 200) == as_text(residual(), width=100) + "\n"


def test_a_line_of_code_is_broken_by_a_narrow_terminal_and_not_cropped() -> None:
    report = linear()
    text = "self.fc1 = nn.Linear(3072, 768) if " + "wide " * 20
    (diagnosis,) = report.diagnoses
    fixes = (dataclasses.replace(diagnosis.fixes[0], code=text),)
    report = dataclasses.replace(report, diagnoses=(dataclasses.replace(diagnosis, fixes=fixes),))
    assert text.strip() in as_text(report)
    assert text.strip() in print_with_rich(as_rich(report), 60).replace("\n", "")


# The note on the exception


def test_the_note_is_the_report_without_the_exception() -> None:
    report = residual()
    exception, rest = as_text(report).split("\n\n", 1)
    assert exception.replace("\n", " ") == f"RuntimeError: {report.recording.failure.message}"  # type: ignore[union-attr]
    assert note_of(report) == "\n" + rest


def test_nothing_is_added_to_an_exception_that_nothing_is_known_about() -> None:
    assert note_of(unexplained()) == note_of(healthy()) == ""


def test_a_residual_block_takes_at_most_25_lines() -> None:
    assert len(as_text(residual()).splitlines()) <= 25


# The order of things, whatever the wording


def test_the_parts_come_in_the_order_in_which_they_are_read() -> None:
    report = residual()
    (diagnosis,) = report.diagnoses
    text = as_text(report)
    parts = [
        "RuntimeError",
        f"{diagnosis.code} {diagnosis.name}",
        diagnosis.headline.split(": ")[0],
        "train.py:41",
        "out += identity",
        "from the fork",
        "\ncause ",
        "\nfix ",
        "\nverified ",
        "\nbecause ",
        "\nor ",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_a_fix_that_does_not_help_is_told_only_in_full() -> None:
    assert "conv2 with stride 2" not in as_text(unverified())
    assert "conv2 with stride 2 (tried, and it does not help)" in as_text(unverified(), full=True)


def test_evidence_that_the_cause_tells_is_not_told_again() -> None:
    (diagnosis,) = residual().diagnoses
    cause = Cause("layer2.0", "BasicBlock", None, "has no projection; layer3.0 and layer4.0 have one")
    told = dataclasses.replace(residual(), diagnoses=(dataclasses.replace(diagnosis, cause=cause),))
    assert " ".join(as_text(told).split()).count("layer3.0 and layer4.0 have one") == 1
    assert "\nbecause" not in as_text(told)


def test_a_fix_that_is_proven_in_one_place_only_says_where() -> None:
    (diagnosis,) = linear().diagnoses
    only = dataclasses.replace(diagnosis.fixes[0], verified="junction", why_not="there are further faults")
    report = dataclasses.replace(linear(), diagnoses=(dataclasses.replace(diagnosis, fixes=(only, only)),))
    text = " ".join(as_text(report).split())
    assert "verified the shapes fit there: there are" in text
    assert "instead of 3080 (verified there only)" in text
    assert "verified the shapes meet at the junction: layer3.0" in " ".join(as_text(junction_only()).split())


def test_no_more_than_two_alternatives() -> None:
    (diagnosis,) = residual().diagnoses
    more = (*diagnosis.fixes, *diagnosis.fixes[1:] * 3)
    report = dataclasses.replace(residual(), diagnoses=(dataclasses.replace(diagnosis, fixes=more),))
    assert as_text(report).count("\nor ") == 2
    assert as_text(report, full=True).count("\nor ") == 4


def test_sizes_are_not_told_again_when_the_headline_has_them() -> None:
    (diagnosis,) = residual().diagnoses
    told = dataclasses.replace(diagnosis, headline="layer2.0 adds [2, 32, 16, 16] and [2, 16, 32, 32]")
    assert "main [2" in as_text(residual())
    assert "main [2" not in as_text(dataclasses.replace(residual(), diagnoses=(told,)))


def test_axes_are_not_told_again_when_the_headline_has_them() -> None:
    (diagnosis,) = residual().diagnoses
    untold = dataclasses.replace(diagnosis, headline="layer2.0 adds two branches that do not fit")
    assert "< part here" in as_text(residual())
    assert "here channels, height and width part" in as_text(dataclasses.replace(residual(), diagnoses=(untold,)))
    (diagnosis,) = attention().diagnoses
    told = dataclasses.replace(diagnosis, headline="two tensors do not add: axis 2 and axis 3 differ")
    assert as_text(attention()).count("differ") == 2
    assert as_text(dataclasses.replace(attention(), diagnoses=(told,))).count("differ") == 2


def test_the_exception_is_cut_after_three_lines_and_whole_in_full() -> None:
    message = "word " * 200 + "\n\nsecond line"
    recording = dataclasses.replace(unexplained().recording, failure=Failure("RuntimeError", message))
    report = Report(recording)
    short, _, _ = as_text(report).partition("\n\n")
    assert len(short.splitlines()) == 3
    assert short.endswith("…")
    whole = as_text(report, full=True)
    assert whole.count("word") == 200
    assert "second line" in whole


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("has stride 1", "cause     fc1 (Linear): has stride 1"),
        ("fc1 has stride 1", "cause     fc1 (Linear) has stride 1"),
        ("fc12 has stride 1", "cause     fc1 (Linear): fc12 has stride 1"),
        ("", "cause     fc1 (Linear)"),
    ],
)
def test_a_reason_does_not_name_the_layer_twice(reason: str, told: str) -> None:
    diagnosis = Diagnosis(
        "SW101", "inner-dims-differ", "error", "sizes differ", "", Cause("fc1", "Linear", None, reason)
    )
    assert told in as_text(Report(Recording("torch"), (), (diagnosis,))).splitlines()


def test_notes_and_a_full_recording_are_told() -> None:
    report = Report(Recording("torch", truncated=True), notes=("one more thing",))
    assert as_text(report).splitlines() == [
        "all shapes fit: no calls, no junctions",
        "",
        "note      one more thing",
        "          the recording reached its limit: later calls are not in it",
    ]


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        ((2, 10), "[2, 10]"),
        ((None, 10), "[?, 10]"),
        (((2, 10), (2, 4)), "[2, 10] and [2, 4]"),
        ({"logits": (2, 10), "boxes": ((2, 4), (2, 1))}, "logits [2, 10], boxes [2, 4] and [2, 1]"),
        (((1,),) * 9, "[1], [1], [1], [1] and 5 more"),
        (((2, 10), None), "[2, 10]"),
        (None, ""),
    ],
)
def test_outputs_of_any_structure(shapes: Any, told: str) -> None:
    assert naming.output(shapes).replace("\u00a0", " ") == told


# Branches


def meeting(
    steps: Sequence[tuple[str, Shape]], fork: Shape, other: Shape, axes: tuple[int, ...], **layers: Layer
) -> Report:
    """An add of a branch through these steps and one of another shape that is the fork's value."""
    path = tuple(
        Step(n, name, layers[name].kind if name in layers else name, name, shape)
        for n, (name, shape) in enumerate(steps)
    )
    branches = (Branch("main", steps[-1][1], path, 0, 1), Branch("skip", other, (), 1, 0))
    junction = Junction("block:add:0", "add", "block", None, branches, Fork(0, fork, "stem"), "mismatch", axes)
    diagnosis = Diagnosis("SW201", "branches-differ", "error", "they differ", "", None, None, junction)
    return Report(Recording("torch", layers=tuple(layers.values())), (junction,), (diagnosis,))


def conv(path: str, before: int, after: int) -> Layer:
    return Layer(
        path,
        "Conv2d",
        "conv",
        {"in_channels": before, "out_channels": after, "kernel_size": (1, 1), "rank": 2},
    )


def marked(report: Report) -> list[tuple[str, str]]:
    """The name of each marked step, and its mark."""
    lines = as_text(report, width=160).splitlines()
    return [(line.removeprefix("    main").split()[0], line.split("< ")[1]) for line in lines if "< " in line]


def test_channels_part_where_they_are_set_not_where_they_first_change() -> None:
    layers = {"reduce": conv("reduce", 256, 64), "expand": conv("expand", 64, 512)}
    steps = [("reduce", (2, 64, 8, 8)), ("expand", (2, 512, 8, 8))]
    assert marked(meeting(steps, (2, 256, 8, 8), (2, 256, 8, 8), (1,), **layers)) == [("expand", "here channels part")]


def test_a_height_parts_where_it_is_first_lost() -> None:
    pool = Layer("pool", "MaxPool2d", "pool", {"kernel_size": (2, 2), "rank": 2})
    steps = [("pool", (2, 8, 37, 37)), ("up", (2, 8, 74, 74))]
    report = meeting(steps, (2, 8, 75, 75), (2, 8, 75, 75), (2, 3), pool=pool)
    assert marked(report) == [("pool", "here height and width part")]


def test_the_layer_to_blame_is_marked_where_it_changes_the_axis() -> None:
    layers = {"reduce": conv("reduce", 256, 64), "expand": conv("expand", 64, 512)}
    steps = [("reduce", (2, 64, 8, 8)), ("expand", (2, 512, 8, 8))]
    report = meeting(steps, (2, 256, 8, 8), (2, 256, 8, 8), (1,), **layers)
    (diagnosis,) = report.diagnoses
    blamed = dataclasses.replace(diagnosis, cause=Cause("reduce", "Conv2d"))
    assert marked(dataclasses.replace(report, diagnoses=(blamed,))) == [("reduce", "here channels part")]


def test_a_layer_to_blame_for_keeping_a_size_is_marked_beside_the_one_that_changes_it() -> None:
    layers = {"conv1": conv("conv1", 16, 16), "shortcut": conv("shortcut", 16, 16)}
    report = meeting([("conv1", (2, 16, 8, 8))], (2, 16, 8, 8), (2, 16, 4, 4), (2, 3), **layers)
    (diagnosis,) = report.diagnoses
    (junction,) = report.junctions
    main, skip = junction.branches
    skip = dataclasses.replace(skip, path=(Step(9, "shortcut", "conv", "shortcut", (2, 16, 4, 4)),))
    junction = dataclasses.replace(junction, branches=(main, skip))
    blamed = dataclasses.replace(diagnosis, junction=junction, cause=Cause("conv1", "Conv2d"))
    marks = [("conv1", "here height and width 8"), ("skip", "here height and width 4")]
    assert marked(dataclasses.replace(report, diagnoses=(blamed,))) == marks
    blameless = dataclasses.replace(blamed, cause=None)
    assert [mark for _, mark in marked(dataclasses.replace(report, diagnoses=(blameless,)))] == [
        "here height and width part"
    ]


def test_no_mark_on_a_branch_that_comes_back_to_the_fork() -> None:
    layers = {"reduce": conv("reduce", 256, 64), "expand": conv("expand", 64, 256)}
    layers["shortcut"] = conv("shortcut", 256, 512)
    steps = [("reduce", (2, 64, 8, 8)), ("expand", (2, 256, 8, 8))]
    report = meeting(steps, (2, 256, 8, 8), (2, 512, 8, 8), (1,), **layers)
    (diagnosis,) = report.diagnoses
    (junction,) = report.junctions
    main, skip = junction.branches
    skip = dataclasses.replace(skip, path=(Step(9, "shortcut", "conv", "shortcut", (2, 512, 8, 8)),))
    junction = dataclasses.replace(junction, branches=(main, skip))
    blamed = dataclasses.replace(diagnosis, junction=junction, cause=Cause("reduce", "Conv2d"))
    assert marked(dataclasses.replace(report, diagnoses=(blamed,))) == [("skip", "here channels part")]


def growing(sizes: Sequence[int]) -> Report:
    """A branch of convolutions that each give another number of channels."""
    layers = {f"conv{n}": conv(f"conv{n}", 1, size) for n, size in enumerate(sizes)}
    steps = [(f"conv{n}", (2, size, 8, 8)) for n, size in enumerate(sizes)]
    return meeting(steps, (2, 3, 8, 8), (2, 3, 8, 8), (1,), **layers)


def test_the_marked_line_of_a_long_branch_is_not_folded_away() -> None:
    report = growing(range(10, 30))
    (diagnosis,) = report.diagnoses
    blamed = dataclasses.replace(diagnosis, cause=Cause("conv9", "Conv2d"))
    report = dataclasses.replace(report, diagnoses=(blamed,))
    assert marked(report) == [("conv9", "here channels part")]
    assert re.findall(r"… (\d+) more calls", as_text(report)) == ["7", "7"]


@pytest.mark.parametrize(("calls", "folded"), [(7, []), (8, ["3"]), (9, ["4"])])
def test_a_branch_is_folded_when_it_is_long(calls: int, folded: list[str]) -> None:
    assert re.findall(r"… (\d+) more call", as_text(growing(range(10, 10 + calls)))) == folded


def test_no_line_tells_that_one_line_is_left_out() -> None:
    report = growing(range(10, 20))
    (diagnosis,) = report.diagnoses
    blamed = dataclasses.replace(diagnosis, cause=Cause("conv3", "Conv2d"))
    text = as_text(dataclasses.replace(report, diagnoses=(blamed,)))
    assert "conv2 " in text
    assert re.findall(r"… (\d+) more call", text) == ["3"]


def test_when_both_branches_leave_the_fork_each_says_for_what() -> None:
    layers = {"conv1": conv("conv1", 16, 32), "shortcut": conv("shortcut", 16, 64)}
    report = meeting([("conv1", (2, 32, 8, 8))], (2, 16, 8, 8), (2, 64, 8, 8), (1,), **layers)
    (junction,) = report.junctions
    main, skip = junction.branches
    skip = dataclasses.replace(skip, path=(Step(9, "shortcut", "conv", "shortcut", (2, 64, 8, 8)),))
    report = dataclasses.replace(
        report,
        diagnoses=(
            dataclasses.replace(report.diagnoses[0], junction=dataclasses.replace(junction, branches=(main, skip))),
        ),
    )
    assert [mark for _, mark in marked(report)] == ["here channels 32", "here channels 64"]


@pytest.mark.parametrize("steps", [[("flatten", (2, 1024))], [("conv", (2, None, 8, 8))]])
def test_no_mark_where_it_is_not_known(steps: Sequence[tuple[str, Shape]]) -> None:
    report = meeting(steps, (2, 16, 8, 8), (2, 16, 8, 8), (1,))
    assert marked(report) == []
    assert "axis 1 differs" in as_text(report)


def test_branches_of_different_rank() -> None:
    report = meeting([("flatten", (2, 1024))], (2, 16, 8, 8), (2, 16, 8, 8), ())
    assert "the numbers of axes differ" in as_text(report)


def test_no_axis_is_named_after_the_axes_were_moved() -> None:
    report = meeting(
        [("conv1", (2, 32, 8, 8)), ("permute", (2, 8, 8, 32))],
        (2, 16, 8, 8),
        (2, 16, 8, 8),
        (1, 3),
        conv1=conv("conv1", 16, 32),
    )
    assert "channels" not in as_text(report)


def test_no_call_is_lost_when_a_long_branch_is_folded() -> None:
    report = unet()
    (junction,) = report.junctions
    text = as_text(report)
    rows = text[text.index("from the fork") : text.index("skip  unchanged")].splitlines()[1:]
    told = 0
    for row in rows:
        words = row.removeprefix("    main").strip()
        if not words or "^" in words:
            continue
        name = words.split("   ")[0].split("  ")[0]
        for part in name.split(", "):
            told += int(part.split()[1]) if part.startswith("…") else 1
    assert told == len(junction.branches[0].path)
    assert len(rows) < 9


def test_a_summary_indents_layers_under_the_ones_that_call_them() -> None:
    tape = Tape()
    x = tape.value((2, 3, 8, 8), "input")
    tape.enter("", "Net", (x,))
    tape.enter("blocks.0", "Block", (x,))
    tape.leave(tape.relu("blocks.0.relu", x))
    tape.relu("blocks.10.relu", x)
    tape.relu("blocks.0.late", x)
    tape.leave(x)
    names = [line.split("  ReLU")[0].rstrip() for line in summary_text(Report(tape.recording())).splitlines()]
    assert names[3:6] == ["    relu", "  blocks.10.relu", "  blocks.0.late"]


def test_numbers_of_a_summary_are_not_cut() -> None:
    tape = Tape()
    x = tape.value((2, 3, 8, 8), "input")
    path = ".".join(["a_module_of_a_long_name"] * 4)
    tape.layer(path, "ATypeThatHasALongNameToo", "module", x, (128, 1024, 1024), 123_456_789)
    line = summary_text(Report(tape.recording())).splitlines()[1]
    assert line.endswith("  [128, 1024, 1024]  123,456,789")
    assert "…" in line


def test_every_call_has_its_line_in_full() -> None:
    report = unet()
    (junction,) = report.junctions
    text = as_text(report, full=True)
    assert [step.layer for step in junction.branches[0].path if f" {step.layer} " not in text] == []
    assert "more call" not in text


def test_a_layer_to_blame_is_called_as_its_framework_calls_it_too() -> None:
    report = residual()
    (diagnosis,) = report.diagnoses
    blamed = dataclasses.replace(diagnosis, cause=Cause("layer2.0.conv1", "Conv2D"))
    layers = tuple(
        dataclasses.replace(layer, name="conv2d_5") if layer.path == "layer2.0.conv1" else layer
        for layer in report.recording.layers
    )
    recording = dataclasses.replace(report.recording, layers=layers)
    text = as_text(dataclasses.replace(report, recording=recording, diagnoses=(blamed,)))
    assert text.count("conv2d_5") == 1
    assert "cause     layer2.0.conv1 (conv2d_5, Conv2D)" in text


def test_a_layer_that_merges_is_drawn_as_a_junction_of_the_block_around_it() -> None:
    """Its branches are named as in the block; the block is what has an input, not the layer."""
    report = residual()
    (junction,), (diagnosis,) = report.junctions, report.diagnoses
    merged = dataclasses.replace(junction, layer="layer2.0.join", is_layer=True)
    named = dataclasses.replace(diagnosis, junction=merged)
    assert as_text(dataclasses.replace(report, junctions=(merged,), diagnoses=(named,))) == as_text(report)


# Names


CONV = {
    "in_channels": 16,
    "out_channels": 32,
    "kernel_size": (3, 3),
    "stride": (1, 1),
    "padding": (1, 1),
    "rank": 2,
}


@pytest.mark.parametrize(
    ("kind", "facts", "told"),
    [
        ("conv", CONV, "16 -> 32, 3x3"),
        ("conv", CONV | {"stride": (2, 1)}, "16 -> 32, 3x3, stride 2x1"),
        ("conv", CONV | {"padding": (0, 0)}, "16 -> 32, 3x3, no padding"),
        ("conv", CONV | {"padding": "valid"}, "16 -> 32, 3x3, no padding"),
        ("conv", CONV | {"padding": "same"}, "16 -> 32, 3x3"),
        ("conv", CONV | {"padding": (2, 2)}, "16 -> 32, 3x3, padding 2"),
        ("conv", CONV | {"padding": (2, 2), "dilation": (2, 2)}, "16 -> 32, 3x3, dilation 2"),
        ("conv", CONV | {"groups": 16}, "16 -> 32, 3x3, depthwise"),
        ("conv", CONV | {"groups": 4}, "16 -> 32, 3x3, groups 4"),
        ("conv", CONV | {"kernel_size": 3, "stride": 1, "padding": 1}, "16 -> 32, 3x3"),
        ("conv", CONV | {"kernel_size": (5,), "padding": (2,), "rank": 1}, "16 -> 32, kernel 5"),
        ("conv", CONV | {"kernel_size": (1, 1), "padding": (0, 0)}, "16 -> 32, 1x1"),
        (
            "conv_transpose",
            CONV | {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0)},
            "16 -> 32, 2x2, stride 2",
        ),
        ("pool", {"kernel_size": (2, 2), "stride": (2, 2), "padding": (0, 0), "rank": 2}, "2x2, stride 2"),
        (
            "conv",
            CONV | {"kernel_size": (4, 4), "stride": (4, 4), "padding": (0, 0)},
            "16 -> 32, 4x4, stride 4",
        ),
        ("adaptive_pool", {"output_size": 1, "rank": 2}, "to 1x1"),
        ("adaptive_pool", {"output_size": (7, None), "rank": 2}, "to 7x?"),
        ("linear", {"in_features": 3072, "out_features": 768}, "3072 -> 768"),
        ("norm", {"num_features": 64}, "64"),
        ("norm", {"normalized_shape": (8, 8)}, "8x8"),
        ("embedding", {"num_embeddings": 100, "embedding_dim": 8}, "100 -> 8"),
        ("attention", {"embed_dim": 64, "num_heads": 8}, "64, 8 heads"),
        ("recurrent", {"input_size": 10, "hidden_size": 20}, "10 -> 20"),
        ("resize", {"scale_factor": (2.0, 2.0)}, "by 2.0"),
        ("resize", {"size": (8, 16)}, "to 8x16"),
        ("conv", CONV | {"padding": "causal"}, "16 -> 32, 3x3, padding causal"),
        ("conv", CONV | {"in_channels": None}, "-> 32, 3x3"),
        ("conv", CONV | {"in_channels": None, "out_channels": None, "groups": None}, "3x3, depthwise"),
        ("pool", {"kernel_size": (3, 3), "stride": (2, 2), "padding": "same", "rank": 2}, "3x3, stride 2"),
        ("linear", {"in_features": None, "out_features": 10}, "-> 10"),
        ("norm", {"num_features": None}, ""),
        ("recurrent", {"input_size": 8, "hidden_size": 4, "return_sequences": True}, "8 -> 4"),
        ("recurrent", {"input_size": 8, "hidden_size": 4, "return_sequences": False}, "8 -> 4, last step"),
        ("conv", {}, ""),
        ("module", {"groups": 3}, ""),
    ],
)
def test_settings_of_layers(kind: str, facts: Mapping[str, Any], told: str) -> None:
    assert naming.settings(Layer("path", "Type", kind, facts)).replace("\u00a0", " ") == told


def test_places_are_told_as_seen_from_here() -> None:
    assert naming.place(Span(str(Path.cwd() / "models" / "net.py"), 4)) == str(Path("models", "net.py")) + ":4"
    assert (
        naming.place(Span("/venv/lib/python3.11/site-packages/torchvision/models/resnet.py", 97))
        == "torchvision/models/resnet.py:97"
    )
    assert naming.place(Span("C:\\venv\\Lib\\site-packages\\timm\\layers.py", 1)) == "timm\\layers.py:1"
    assert naming.place(Span("/elsewhere/net.py", 4)) == "/elsewhere/net.py:4"
    assert naming.place(Span("<stdin>", 1)) == "<stdin>:1"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["channels"], "channels differ"),
        (["height"], "height differs"),
        (["height", "width"], "height and width differ"),
        (["axis 1"], "axis 1 differs"),
        (["axis 0", "axis 1", "axis 3"], "axes 0, 1 and 3 differ"),
    ],
)
def test_axes_in_a_sentence(names: list[str], told: str) -> None:
    assert f"{naming.axes_listed(names)} {naming.verb(names, 'differs', 'differ')}" == told


# Characters and lines


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain [2, 16] … × é 漢 😀", "plain [2, 16] … × é 漢 😀"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\tb", "a    b"),
        ("a\nb\r", "a\\nb\\r"),
        ("\u3000\u2003", "  "),
        ("\u202e\u2066\u200b", "\\u202e\\u2066\\u200b"),
        ("\ud800", "\\ud800"),
        ("\x85\u2028", "\\x85\\u2028"),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped
    assert Run(text).text == escaped
    assert escape(escaped) == escaped


def test_wide_characters_take_two_columns() -> None:
    assert (cells("abc"), cells("漢字"), cells("e\u0301")) == (3, 4, 1)
    assert plain(Document((Line(runs("漢" * 40)),)), 60) == "漢" * 29 + "…"


def test_a_line_is_cut_and_a_paragraph_wraps() -> None:
    words = "word " * 20
    assert plain(Document((Line(runs(words)),)), 40) == "word word word word word word word word…"
    assert plain(Document((Paragraph(runs(words.strip())),)), 40).splitlines() == ["word " * 7 + "word"] * 2 + [
        "word " * 3 + "word"
    ]


def test_a_word_across_two_styles_stays_together() -> None:
    text = runs("x" * 35, " ", Run("train.py", "place"), ":41")
    assert plain(Document((Paragraph(text),)), 40).splitlines() == ["x" * 35, "train.py:41"]


# Folding


@pytest.mark.parametrize("width", [30, 45, 70])
@pytest.mark.parametrize(
    "line",
    [
        "self.shortcut = nn.Sequential(nn.Conv2d(16, 32, 1, stride=2, bias=False), nn.BatchNorm2d(32))",
        "self.shortcut = nn.Sequential(nn.Conv2d(16, 32, 1, bias=False), nn.ReLU())  # was (nn.Identity()",
        "x = F.pad(x, (0, -x.shape[-1] % 8, 0, -x.shape[-2] % 8))[..., a_long_name_for_an_index, :, another]",
        "layers = [nn.Linear(before, after) for before, after in zip(sizes_before_each, sizes_after_each)]",
        "call('a, (b', \"c]\", *arguments_given, keyword={'key, (': values[index_of_the_value]}, **rest)",
        "        if self.projection_of_the_skip_connection is not None and self.is_on_a_road_that_is_long():",
    ],
)
def test_a_folded_line_means_the_same(line: str, width: int) -> None:
    folded = fold(line, width)
    try:
        meaning = ast.dump(ast.parse(line.strip()))
    except SyntaxError:
        assert folded == [line]
        return
    assert ast.dump(ast.parse("\n".join(folded))) == meaning
    comments = [piece for piece in folded if piece.startswith("#")]
    assert comments == (["# was (nn.Identity()"] if "#" in line else [])


def test_what_fits_and_what_cannot_be_folded_stays_one_line() -> None:
    assert fold("x = f(a, b)", 11) == ["x = f(a, b)"]
    assert fold("a_name = another_name_that_is_long", 20) == ["a_name = another_name_that_is_long"]
    assert fold("x = f(a, b", 5) == ["x = f(a, b"]
    assert fold("    x = f(first, last)", 20) == ["    x = f(", "        first, last", "    )"]


def test_code_keeps_its_indentation() -> None:
    assert plain(Document((Code(("if x:", "    y = f(x)")),)), 80) == "if x:\n    y = f(x)"


# Files


@pytest.mark.parametrize("name", REPORTS)
def test_json_reads_back_as_the_same_report(name: str, tmp_path: Path) -> None:
    report = REPORTS[name]()
    path = report.save(tmp_path / "report.json")
    assert path == tmp_path / "report.json"
    assert Report.load(path).to_dict() == report.to_dict()
    assert as_text(Report.load(path)) == as_text(report)


def test_the_suffix_picks_the_format(tmp_path: Path) -> None:
    suffixes = {"text": ".txt", "json": ".json", "html": ".html", "sarif": ".sarif"}
    assert {name: format.suffix for name, format in FORMATS.items()} == suffixes
    path = write_report(hostile(), tmp_path / "report.TXT")
    assert path.read_text(encoding="utf-8") == as_text(hostile()) + "\n"


@pytest.mark.parametrize("name", ["report.pdf", "report"])
def test_an_unknown_suffix_is_told_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError,
        match=r"^report\S*: a report is written to a file that ends in one of \.txt, \.json, \.html, \.sarif$",
    ):
        write_report(healthy(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


# Imports


def modules_after(statement: str) -> set[str]:
    root = str(Path(shapewatch.__file__).parents[1])
    program = f"import sys\n{statement}\nprint(*sys.modules, sep='\\n')"
    environment = os.environ | {"PYTHONPATH": root}
    ran = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_shapewatch_imports_no_renderer() -> None:
    modules = modules_after("import shapewatch")
    assert "shapewatch.report" in modules
    assert {name for name in modules if name.startswith(("rich", "shapewatch.render"))} == set()


def test_plain_text_needs_no_rich() -> None:
    made = (
        "from shapewatch.report import Report; from shapewatch.recording import Recording; "
        "report = Report(Recording('torch'))"
    )
    plain_text = modules_after(f"{made}; str(report)")
    assert "shapewatch.render.plain" in plain_text
    assert "rich" not in plain_text
    assert "rich" in modules_after(f"{made}; import rich; rich.print(report, file=sys.stderr)")
