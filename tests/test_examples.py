"""Every script in `examples/` does what its story says: plain, watched, and from the command line."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import pytest
import torch

import shapewatch
from shapewatch.patches import diff

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples"


@dataclass(frozen=True)
class Expected:
    """What one script is expected to do.

    `error` is the framework's own text, with `…` for what is left out, None for a script that runs. `at` is
    the source line that `location` names; `edit` is a part of the first fix's edit, `fragment` of its code.
    `output` is the shape that the script prints or, for a broken one, that its first fix leads to.
    """

    script: str
    output: tuple[int, ...]
    error: str | None = None
    code: str | None = None
    layer: str | None = None
    at: str | None = None
    edit: Mapping[str, Any] = field(default_factory=dict)
    fragment: str = ""
    verified: str | None = "forward"
    folder: str = "torch"

    @property
    def path(self) -> Path:
        return FOLDER / self.folder / f"{self.script}.py"

    @property
    def exit_code(self) -> int:
        return 0 if self.error is None else 1

    @property
    def severity(self) -> str:
        return "warning" if self.error is None else "error"


def sizes_differ(a: int, b: int, axis: int) -> str:
    """PyTorch's line for an addition or multiplication whose operands do not fit on an axis."""
    return (
        f"RuntimeError: The size of tensor a ({a}) must match the size of tensor b ({b}) "
        f"at non-singleton dimension {axis}"
    )


TORCH = (
    Expected(
        "resnet_lost_projection",
        output=(2, 10),
        error=sizes_differ(16, 32, 3),
        code="SW201",
        layer="layer2.0",
        at="out += identity",
        edit={"action": "replace", "layer": "layer2.0.downsample"},
        fragment="stage(16, 32, stride=2, downsample=projection(16, 32))",
    ),
    Expected(
        "residual_without_projection",
        output=(2, 10),
        error=sizes_differ(16, 32, 3),
        code="SW201",
        layer="block2",
        at="return torch.relu(out + x)",
        edit={"action": "insert", "layer": "block2"},
        fragment="nn.Conv2d(channels, channels, 1, stride=stride)",
    ),
    Expected(
        "bottleneck_without_projection",
        output=(2, 10),
        error=sizes_differ(64, 16, 1),
        code="SW201",
        layer="blocks.0",
        at="return torch.relu(out + skip)",
        edit={"action": "insert", "layer": "blocks.0"},
        fragment="nn.Conv2d(channels_in, channels_out, 1",
    ),
    Expected(
        "residual_channels_differ",
        output=(4, 10),
        error=sizes_differ(32, 48, 1),
        code="SW201",
        layer="blocks.2.conv2",
        at="return x + self.conv2(self.relu(self.conv1(x)))",
        edit={"action": "set", "layer": "blocks.2.conv2", "argument": "out_channels", "value": 32},
        fragment="Block(32, 64, 32)",
    ),
    Expected(
        "projection_wrong_stride",
        output=(2, 10),
        error=sizes_differ(8, 16, 3),
        code="SW201",
        layer="stage2.project",
        at="return torch.relu(main + self.project(x))",
        edit={"action": "set", "layer": "stage2.project", "argument": "stride", "value": 2},
        fragment="Stage(32, 64, project_stride=2)",
    ),
    Expected(
        "densenet_wrong_growth",
        output=(2, 10),
        error="RuntimeError: running_mean should contain 120 elements not 128",
        code="SW502",
        layer="dense.1.conv",
        at="return self.conv(torch.relu(self.norm(features)))",
        edit={"action": "set", "layer": "dense.1.conv", "argument": "out_channels", "value": 32},
        fragment="DenseLayer(96, growth=32)",
    ),
    Expected(
        "unet_odd_input",
        output=(1, 2, 64, 64),
        error="RuntimeError: Sizes of tensors must match except in dimension 1. "
        "Expected size 65 but got size 64 for tensor number 1 in the list.",
        code="SW401",
        layer="input",
        at="x = self.decode1(torch.cat([fine, x], dim=1))",
        edit={"action": "input", "shape": (1, 1, 64, 64)},
        fragment="64",
    ),
    Expected(
        "concat_wrong_width",
        output=(2, 10),
        error="RuntimeError: Given groups=1, weight of size [32, 40, 1, 1], expected input[2, 48, 16, 16] "
        "to have 40 channels, but got 48 channels instead",
        code="SW501",
        layer="inception.fuse",
        at="return torch.relu(self.fuse(together))",
        edit={"action": "set", "layer": "inception.fuse", "argument": "in_channels", "value": 48},
        fragment="nn.Conv2d(48, 32, 1)",
    ),
    Expected(
        "highway_gate_width",
        output=(8, 3),
        error=sizes_differ(64, 96, 1),
        code="SW201",
        layer="layers.1.transform",
        at="return gate * transformed + (1 - gate) * x",
        edit={"action": "set", "layer": "layers.1.transform", "argument": "out_features", "value": 64},
        fragment="Highway(64, 64), Highway(64, 64), Highway(64, 64)",
    ),
    Expected(
        "preactivation_shortcut_stride",
        output=(2, 10),
        error=sizes_differ(16, 32, 3),
        code="SW201",
        layer="block2.shortcut",
        at="return out + skip",
        edit={"action": "set", "layer": "block2.shortcut", "argument": "stride", "value": 2},
        fragment="self.shortcut = nn.Conv2d(channels_in, channels, 1, bias=False, stride=stride)",
    ),
    Expected(
        "lstm_skip_width",
        output=(4, 12, 9),
        error="RuntimeError: mat1 and mat2 shapes cannot be multiplied (48x96 and 64x9)",
        code="SW102",
        layer="head",
        at="return self.head(features)",
        edit={"action": "set", "layer": "head", "argument": "in_features", "value": 96},
        fragment="nn.Linear(96, tags)",
    ),
    Expected(
        "silent_broadcast",
        output=(2, 10),
        code="SW291",
        layer="block2.project",
        at="return torch.relu(main + skip)",
        edit={"action": "set", "layer": "block2.project", "argument": "out_channels", "value": 16},
        fragment="Block(8, 16, skip_channels=16)",
    ),
    Expected("resnet", output=(2, 10)),
    Expected("unet", output=(1, 2, 64, 64)),
    Expected("transformer", output=(4, 5)),
    Expected(
        "flatten_linear_width",
        output=(4, 10),
        error="RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x256 and 200x120)",
        code="SW102",
        layer="fc1",
        at="x = torch.relu(self.fc1(x))",
        edit={"action": "set", "layer": "fc1", "argument": "in_features", "value": 256},
        fragment="nn.Linear(16 * 4 * 4, 120)",
    ),
    Expected(
        "channels_last_input",
        output=(2, 10),
        error="RuntimeError: Given groups=1, weight of size [16, 3, 3, 3], expected input[2, 48, 64, 3] "
        "to have 3 channels, but got 48 channels instead",
        code="SW702",
        layer="input",
        at="x = torch.relu(self.norm(self.stem(x)))",
        edit={"action": "input", "change": "permute", "shape": (2, 3, 48, 64)},
        fragment=".permute(0, 3, 1, 2)",
    ),
    Expected(
        "two_faults",
        output=(2, 10),
        error=sizes_differ(32, 24, 1),
        code="SW201",
        layer="block2.conv2",
        at="return torch.relu(x + self.conv2(torch.relu(self.conv1(x))))",
        edit={"action": "set", "layer": "block2.conv2", "argument": "out_channels", "value": 32},
        fragment="self.block2 = Block(32, 32)",
        # The other fault is still there, so with this fix alone no pass comes to its end.
        verified="junction",
    ),
    Expected(
        "transformer_mlp_width",
        output=(2, 10, 50),
        error=sizes_differ(64, 48, 2),
        code="SW201",
        layer="blocks.2.mlp.2",
        at="return x + self.mlp(self.norm2(x))",
        edit={"action": "set", "layer": "blocks.2.mlp.2", "argument": "out_features", "value": 64},
        fragment="nn.Linear(256, 64)",
    ),
    Expected("three_ways", output=(8, 4)),
)

KERAS = (
    Expected(
        "residual_without_projection",
        output=(2, 10),
        error="ValueError: Inputs have incompatible shapes. Received shapes (16, 16, 32) and (32, 32, 16)",
        code="SW201",
        layer="add_1",
        at="x = layers.Add()([x, shortcut])",
        edit={"action": "insert", "layer": "add_1", "junction": "add_1:Add:0", "operand": 1},
        fragment='shortcut = layers.Conv2D(filters, 1, strides=strides, padding="same", use_bias=False)(shortcut)',
        verified="junction",
    ),
    Expected(
        "residual_without_projection_subclassed",
        output=(2, 10),
        error="InvalidArgumentError: Exception encountered when calling ResidualBlock.call(). … "
        "Incompatible shapes: [2,16,16,32] vs. [2,32,32,16]",
        code="SW201",
        layer="block2",
        at="return keras.ops.relu(out + x)",
        edit={"action": "insert", "layer": "block2"},
        fragment="else layers.Identity()",
    ),
    Expected(
        "residual_channels_differ",
        output=(4, 10),
        error="ValueError: in user code: … Dimensions must be equal, but are 32 and 48",
        code="SW201",
        layer="blocks[2].conv2",
        at="return x + self.conv2(self.conv1(x))",
        edit={"action": "set", "layer": "blocks[2].conv2", "argument": "filters", "value": 32},
        fragment='model.blocks[2].conv2 = layers.Conv2D(32, 3, padding="same")',
    ),
    Expected(
        "projection_wrong_stride",
        output=(4, 10),
        error="ValueError: Exception encountered when calling Stage.call(). … "
        "Inputs have incompatible shapes. Received shapes (8, 8, 64) and (16, 16, 64)",
        code="SW201",
        layer="stage2.project",
        at="return keras.ops.relu(self.add([main, self.project(x)]))",
        edit={"action": "set", "layer": "stage2.project", "argument": "strides", "value": 2},
        fragment="Stage(64, project_strides=2)",
    ),
    Expected(
        "densenet_wrong_growth",
        output=(2, 10),
        error="ValueError: Inputs have incompatible shapes. Received shapes (16, 16, 184) and (16, 16, 192)",
        code="SW201",
        layer="dense1_conv",
        at='x = layers.Add(name="around")([features, shortcut])',
        edit={"action": "set", "layer": "dense1_conv", "argument": "filters", "value": 32},
        fragment='layers.Conv2D(32, 3, padding="same", use_bias=False, name="dense1_conv")',
        verified="junction",
    ),
    Expected(
        "unet_odd_input",
        output=(1, 64, 64, 2),
        error="ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
        "axis. Received: input_shape=[(None, 65, 65, 8), (None, 64, 64, 8)]",
        code="SW401",
        layer="input",
        at='x = layers.Concatenate(name="skip1")([fine, x])',
        edit={"action": "input", "shape": (None, 64, 64, 1)},
        fragment="keras.Input(shape=(64, 64, 1))",
        verified="junction",
    ),
    Expected(
        "concat_wrong_axis",
        output=(2, 10),
        error="ValueError: A `Concatenate` layer requires inputs with matching shapes except for the concatenation "
        "axis. Received: input_shape=[(None, 16, 16, 16), (None, 16, 16, 24), (None, 16, 16, 8)]",
        code="SW401",
        layer="join",
        at='x = layers.Concatenate(axis=1, name="join")([narrow, middle, wide])',
        edit={"action": "set", "layer": "join", "argument": "axis", "value": 3},
        fragment='x = layers.Concatenate(axis=3, name="join")([narrow, middle, wide])',
        verified="junction",
    ),
    Expected(
        "highway_gate_width",
        output=(8, 3),
        error="InvalidArgumentError: Exception encountered when calling Highway.call(). … "
        "Incompatible shapes: [8,64] vs. [8,96]",
        code="SW201",
        layer="highways[1].transform",
        at="return gate * transformed + (1 - gate) * x",
        edit={"action": "set", "layer": "highways[1].transform", "argument": "units", "value": 64},
        fragment="Highway(64, 64), Highway(64, 64), Highway(64, 64)",
    ),
    Expected(
        "lstm_skip_width",
        output=(4, 12, 9),
        error="ValueError: Inputs have incompatible shapes. Received shapes (12, 64) and (12, 32)",
        code="SW201",
        layer="read",
        at='features = layers.Add(name="skip")([read, embedded])',
        edit={"action": "set", "layer": "read", "argument": "units", "value": 32},
        fragment='read = layers.LSTM(32, return_sequences=True, name="read")(embedded)',
        verified="junction",
    ),
    Expected(
        "transformer_mlp_width",
        output=(2, 10, 50),
        error="InvalidArgumentError: Exception encountered when calling Block.call(). … "
        "Incompatible shapes: [2,10,64] vs. [2,10,48]",
        code="SW201",
        layer="blocks[2].mlp.dense_5",
        at="return x + self.mlp(self.norm2(x))",
        edit={"action": "set", "layer": "blocks[2].mlp.dense_5", "argument": "units", "value": 64},
        fragment="layers.Dense(64)",
    ),
    Expected(
        "channels_first_input",
        output=(2, 10),
        error="ValueError: Input 0 with name 'input_layer' of layer 'functional' is incompatible with the layer: "
        "expected shape=(None, None, None, 3), found shape=(2, 3, 48, 64)",
        code="SW602",
        layer="input",
        at='print("output", tuple(model(pictures).shape))',
        edit={"action": "input", "change": "permute", "shape": (2, 48, 64, 3)},
        fragment="pictures = keras.ops.transpose(pictures, (0, 2, 3, 1))",
    ),
    Expected(
        "two_faults",
        output=(2, 10),
        error="InvalidArgumentError: Exception encountered when calling Block.call(). … "
        "Incompatible shapes: [2,16,16,32] vs. [2,16,16,24]",
        code="SW201",
        layer="block2.conv2",
        at="return keras.ops.relu(x + self.conv2(self.conv1(x)))",
        edit={"action": "set", "layer": "block2.conv2", "argument": "filters", "value": 32},
        fragment="Block(32, 32)",
        verified="junction",
    ),
    Expected(
        "silent_broadcast",
        output=(2, 10),
        code="SW291",
        layer="add",
        at="x = layers.Add()([x, shortcut])",
        edit={"action": "insert", "layer": "add", "operand": 1},
        fragment="shortcut = layers.Conv2D(filters * 2, 1)(shortcut)",
    ),
    Expected("doubled_channels", output=(2, 10)),
    Expected("residual", output=(2, 10)),
    Expected("three_ways", output=(8, 4)),
)

TENSORFLOW = (
    Expected(
        "residual_without_projection",
        output=(2, 10),
        error="InvalidArgumentError: … Incompatible shapes: [2,16,16,32] vs. [2,32,32,16]",
        code="SW201",
        layer="block2",
        at="return tf.nn.relu(out + x)",
        edit={"action": "insert", "layer": "block2"},
        fragment="self.shortcut = tf.Variable(tf.random.normal((1, 1, 16, 32)",
    ),
    Expected(
        "matmul_inner_width",
        output=(8, 3),
        error="ValueError: in user code: … Dimensions must be equal, but are 120 and 84",
        code="SW101",
        layer="output",
        at="return tf.matmul(x, self.output)",
        edit={"action": "set", "variable": "output", "argument": "shape", "value": (120, 3)},
        fragment="self.output = tf.Variable(tf.random.normal((120, 3), stddev=0.1))",
        verified=None,  # a variable's shape is no setting that a dry run can change
    ),
    Expected("residual", output=(2, 10)),
)

EXAMPLES = (
    *TORCH,
    *(replace(example, folder="keras") for example in KERAS),
    *(replace(example, folder="tensorflow") for example in TENSORFLOW),
)

TELLS = [example for example in EXAMPLES if example.code]
HEALTHY = [example for example in EXAMPLES if not example.code]
# A watched run needs a process of its own, and each one imports its framework: one script for each way to end.
FROM_THE_COMMAND_LINE = [
    example
    for example in EXAMPLES
    if (example.folder, example.script)
    in [
        ("torch", "unet_odd_input"),
        ("torch", "silent_broadcast"),
        ("torch", "resnet"),
        ("torch", "three_ways"),
        ("keras", "residual_without_projection"),
        ("keras", "residual"),
        ("tensorflow", "residual_without_projection"),
    ]
]


def each(examples: list[Expected] | tuple[Expected, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("expected", examples, ids=lambda expected: f"{expected.folder}-{expected.script}")


def story_of(path: Path) -> str:
    """The first line of a script's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]


# By plain Python

PLAIN = """
import contextlib, io, json, runpy, sys
runs = {}
for path in sys.argv[1:]:
    printed, error = io.StringIO(), None
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(path, run_name="__main__")
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
    runs[path] = {"stdout": printed.getvalue(), "error": error}
print(json.dumps(runs))
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python process that finds this shapewatch, installed or not."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=120,
        check=False,
    )


@functools.cache
def plain_runs() -> dict[str, dict[str, str | None]]:
    """What every script prints and raises, all in one process that nothing watches."""
    done = python("-c", PLAIN, *(str(expected.path) for expected in EXAMPLES))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@each(EXAMPLES)
def test_plain_python(expected: Expected) -> None:
    run = plain_runs()[str(expected.path)]
    assert says(run["error"], expected.error)
    printed = (run["stdout"] or "").splitlines()
    assert printed[0].startswith("input (")
    outputs = [line for line in printed if line.startswith("output ")]
    assert set(outputs) == ({f"output {expected.output}"} if expected.error is None else set())


def says(error: str | None, expected: str | None) -> bool:
    """Whether a text is the one expected, of which `…` leaves out parts, and all that Keras puts after the first."""
    if error is None or expected is None:
        return error == expected
    pattern = ".*".join(re.escape(part.strip()) for part in expected.split("…")) + (".*" if "…" in expected else "")
    return re.fullmatch(pattern, error, re.DOTALL) is not None


@each([expected for expected in TORCH if expected.script in ("resnet_lost_projection", "resnet")])
def test_plain_python_in_a_process_of_its_own(expected: Expected) -> None:
    done = python(str(expected.path))
    assert done.returncode == expected.exit_code
    assert done.stdout == plain_runs()[str(expected.path)]["stdout"]
    assert (done.stderr.splitlines() or [None])[-1] == expected.error


# Watched, in this process


@dataclass(frozen=True)
class Run:
    report: shapewatch.Report
    stdout: str
    error: str | None
    notes: tuple[str, ...]


@functools.cache
def watched(path: Path) -> Run:
    """One script, run inside `watch()`. What is kept of its error holds no frame and so no tensor."""
    printed = io.StringIO()
    error: str | None = None
    notes: tuple[str, ...] = ()
    keras.utils.clear_session()  # Keras counts the names that it makes up
    session = shapewatch.watch()
    try:
        with contextlib.redirect_stdout(printed), session as seen:
            runpy.run_path(str(path), run_name="__main__")
    except Exception as raised:
        error, notes = f"{type(raised).__name__}: {raised}", tuple(getattr(raised, "__notes__", ()))
    return Run(seen.report, printed.getvalue(), error, notes)


@each([expected for expected in EXAMPLES if expected.script != "three_ways"])
def test_watching_changes_nothing(expected: Expected) -> None:
    run = watched(expected.path)
    plain = plain_runs()[str(expected.path)]
    assert run.error == plain["error"]
    assert run.stdout == plain["stdout"]
    assert len(run.notes) == expected.exit_code


@each([expected for expected in HEALTHY if expected.script != "three_ways"])
def test_a_healthy_model_is_left_in_peace(expected: Expected) -> None:
    report = watched(expected.path).report
    assert report.ok
    assert report.diagnoses == ()
    assert report.junctions
    assert "mismatch" not in {junction.status for junction in report.junctions}


@each(TELLS)
def test_diagnosis(expected: Expected) -> None:
    run = watched(expected.path)
    first = run.report.diagnoses[0]
    assert run.report.ok == (expected.error is None)
    assert (first.code, first.severity) == (expected.code, expected.severity)
    assert (first.cause.layer if first.cause else None) == expected.layer
    assert first.location is not None
    assert first.location.source == expected.at
    assert Path(first.location.file) == expected.path


@each(TELLS)
def test_fix(expected: Expected) -> None:
    fixes = watched(expected.path).report.diagnoses[0].fixes
    if not expected.edit:
        assert fixes == ()
        return
    fix = fixes[0]
    assert {name: as_lists(fix.edit.get(name)) for name in expected.edit} == {
        name: as_lists(value) for name, value in expected.edit.items()
    }
    assert expected.fragment in fix.code
    assert fix.verified == expected.verified
    assert as_lists(fix.output_shape) == (list(expected.output) if fix.verified == "forward" else None)


WITHOUT_A_PATCH = {
    ("torch", "transformer_mlp_width"),
    ("keras", "densenet_wrong_growth"),
    ("keras", "residual_channels_differ"),
    ("keras", "transformer_mlp_width"),
    ("keras", "unet_odd_input"),
    ("tensorflow", "residual_without_projection"),
}
"""Whose best fix belongs in no one line of the program."""


@each([expected for expected in TELLS if expected.edit])
def test_the_program_runs_with_its_patch(expected: Expected, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fix = watched(expected.path).report.diagnoses[0].fixes[0]
    assert (fix.patch is None) == ((expected.folder, expected.script) in WITHOUT_A_PATCH), fix
    if fix.patch is None:
        return
    copy = tmp_path / expected.path.relative_to(ROOT)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(expected.path.read_bytes())
    monkeypatch.chdir(tmp_path)
    diff.apply(fix.patch)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if expected.script == "two_faults":  # the other one is met then
            with pytest.raises(Exception, match=r"multiplied|ncompatible"):
                runpy.run_path(str(copy), run_name="__main__")
            return
        runpy.run_path(str(copy), run_name="__main__")
    assert f"{str(expected.output[1:])[1:-1].rstrip(',')})" in out.getvalue()  # whatever batch failed


@each([expected for expected in TELLS if expected.error])
def test_the_note_says_it_all(expected: Expected) -> None:
    (note,) = watched(expected.path).notes
    for part in (expected.code, expected.layer, expected.fragment):
        assert unspaced(part) in unspaced(note)


def as_lists(value: Any) -> Any:
    """Tuples as lists, as JSON has them."""
    return [as_lists(item) for item in value] if isinstance(value, tuple | list) else value


def unspaced(words: str | None) -> str:
    """Words without their spaces, for a report breaks its lines, code too, where they would be too long."""
    return "".join((words or "").split())


# Without running them


def model_of(script: str, name: str, folder: str = "torch") -> Any:
    """A model of the class `name` in a script, made without running the script's main part."""
    return runpy.run_path(str(FOLDER / folder / f"{script}.py"), run_name=script)[name]()


def test_check_reports_both_faults_at_once() -> None:
    report = shapewatch.check(model_of("two_faults", "Net"), input_shape=(2, 3, 32, 32))
    errors = [diagnosis for diagnosis in report.diagnoses if diagnosis.severity == "error"]
    assert [(error.code, error.cause.layer if error.cause else None) for error in errors] == [
        ("SW201", "block2.conv2"),
        ("SW102", "head"),
    ]
    assert errors[1].fixes[0].edit["value"] == 32
    assert not report.ok


def test_check_reports_both_faults_of_the_keras_model_at_once() -> None:
    report = shapewatch.check(model_of("two_faults", "Net", "keras"), input_shape=(2, 32, 32, 3))
    errors = [diagnosis for diagnosis in report.diagnoses if diagnosis.severity == "error"]
    assert [(error.code, error.cause.layer if error.cause else None) for error in errors] == [
        ("SW201", "block2.conv2"),
        ("SW201", "gate"),
    ]
    assert errors[1].fixes[0].edit["value"] == 32
    assert not report.ok


def test_check_passes_the_correct_twin() -> None:
    report = shapewatch.check(model_of("resnet", "ResNet"), input_shape=(2, 3, 32, 32))
    assert report.ok
    assert as_lists(report.output) == [2, 10]


@pytest.mark.parametrize(
    ("script", "name", "shape", "output"),
    [
        ("resnet_lost_projection", "ResNet", (2, 3, 32, 32), (2, 10)),
        ("residual_channels_differ", "Net", (4, 1, 16, 16), (4, 10)),
        ("highway_gate_width", "Net", (8, 20), (8, 3)),
    ],
)
def test_the_fix_holds_on_real_numbers(script: str, name: str, shape: tuple[int, ...], output: tuple[int, ...]) -> None:
    model = model_of(script, name)
    before = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    fix = shapewatch.check(model, input_shape=shape).diagnoses[0].fixes[0]
    with fix.applied(model):
        assert tuple(model(torch.zeros(shape)).shape) == output
    assert {key: tuple(value.shape) for key, value in model.state_dict().items()} == before
    with pytest.raises(RuntimeError, match="must match the size"):
        model(torch.zeros(shape))


@pytest.mark.parametrize(
    ("script", "shape", "output"),
    [
        ("residual_without_projection_subclassed", (2, 32, 32, 3), (2, 10)),
        ("residual_channels_differ", (4, 16, 16, 1), (4, 10)),
        ("highway_gate_width", (8, 20), (8, 3)),
    ],
)
def test_the_fix_holds_on_real_numbers_in_keras(script: str, shape: tuple[int, ...], output: tuple[int, ...]) -> None:
    model = model_of(script, "Net", "keras")
    fix = shapewatch.check(model, input_shape=shape).diagnoses[0].fixes[0]
    with fix.applied(model):
        assert tuple(model(keras.ops.zeros(shape)).shape) == output
    with pytest.raises(Exception, match="Exception encountered when calling"):
        model(keras.ops.zeros(shape))


# From the command line


@each(FROM_THE_COMMAND_LINE)
def test_run_command(expected: Expected) -> None:
    done = python("-m", "shapewatch", "run", str(expected.path))
    assert done.returncode == expected.exit_code
    assert done.stdout == plain_runs()[str(expected.path)]["stdout"]
    for part in (*(expected.error or "").split("…"), expected.code, expected.layer, expected.fragment):
        assert unspaced(part) in unspaced(done.stderr)
    if expected.code is None:
        assert "SW" not in done.stderr
        assert done.stderr == "" or expected.folder != "torch", "TensorFlow logs what it finds on the machine"


# The list of examples


def test_every_script_is_tested() -> None:
    assert sorted(FOLDER.glob("*/*.py")) == sorted(expected.path for expected in EXAMPLES)


@each(EXAMPLES)
def test_the_readme_tells_the_story(expected: Expected) -> None:
    story = story_of(expected.path)
    assert story.endswith(".")
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert f"| [`{expected.script}.py`]({expected.folder}/{expected.script}.py) | {story} |" in readme


@each(EXAMPLES)
def test_a_broken_script_names_its_fault(expected: Expected) -> None:
    docstring = ast.get_docstring(ast.parse(expected.path.read_text(encoding="utf-8"))) or ""
    assert ("\n\nFault: " in docstring) == (expected.code is not None)
