"""`explain` as users meet it: what broken programs print, in every dress that a text takes on its way to a form.

The tracebacks are raised here, by the installed frameworks in processes of their own; the dresses are put on them as
loggers, launchers, terminals and forms do.
"""

from __future__ import annotations

import html
import io
import json
import os
import pty
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import golden
import pytest

import shapewatch
from shapewatch.diagnose import diagnose
from shapewatch.messages.explain import FROM_MESSAGE, FROM_TEXT, explain_text
from shapewatch.recording import Failure, Recording, Span
from shapewatch.render import as_text
from shapewatch.report import Diagnosis, Report
from shapewatch.rules import RULES

TORCH = """
    import traceback, warnings, torch
    from torch import nn

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(8, 16, 3, padding=1)

        def forward(self, x):
            return x + self.conv(x)  # fails: add, compiled, handled, caused

    class Ragged(torch.utils.data.Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return torch.ones(3, 5 + index)

    def add():
        Block()(torch.ones(2, 8, 6, 6))

    def caused():
        try:
            add()
        except RuntimeError as error:
            raise KeyError("no batch") from error

    def handled():
        try:
            {}["step"]
        except KeyError:
            add()

    def worker():
        for _ in torch.utils.data.DataLoader(Ragged(), batch_size=2, num_workers=1):  # fails: worker
            pass

    def weights():
        other = nn.Sequential(nn.Linear(4, 9), nn.Linear(9, 3))
        nn.Sequential(nn.Linear(4, 7), nn.Linear(7, 3)).load_state_dict(other.state_dict())  # fails: weights

    @torch.jit.script
    def multiplied(x, y):
        return x * y  # fails: scripted

    def scripted():
        multiplied(torch.ones(2, 3), torch.ones(2, 4))

    def compiled():
        torch.compile(Block(), backend="eager")(torch.ones(2, 8, 6, 6))
"""

TENSORFLOW = """
    import traceback, numpy as np, tensorflow as tf, keras
    from keras import layers

    class Block(layers.Layer):
        def build(self, shape):
            self.conv = layers.Conv2D(16, 3, padding="same")
            self.conv.build(shape)

        def call(self, x):
            return x + self.conv(x)  # fails: symbolic, eager

    def wrapped():
        model = keras.Sequential([layers.Dense(3)])
        model(np.ones((2, 4)))
        model(np.ones((2, 5)))  # fails: wrapped

    def symbolic():
        Block()(keras.Input((6, 6, 8)))

    def eager():
        Block()(np.ones((2, 6, 6, 8), "float32"))

    def traced():
        @tf.function
        def plus(x, y):
            return x + y  # fails: traced
        plus(tf.ones((2, 3)), tf.ones((2, 4)))

    def in_graph():
        @tf.function(input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, None])])
        def plus(x, y):
            return x + y
        plus(tf.ones((2, 3)), tf.ones((2, 4)))

    def xla():
        @tf.function(jit_compile=True, input_signature=[tf.TensorSpec([None, None]), tf.TensorSpec([None, None])])
        def plus(x, y):
            return x + y
        plus(tf.ones((2, 3)), tf.ones((2, 4)))  # fails: xla

    def fitted():
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
        model.compile("sgd", "mse")
        model.fit(np.ones((8, 4)), np.ones((8, 5)), verbose=0)  # fails: fitted
"""

PRINTED = """
for broken in {names}:
    print("#####", broken.__name__, flush=True)
    try:
        broken()
    except Exception:
        print(traceback.format_exc(), flush=True)
"""


@dataclass(frozen=True)
class Broken:
    """What a function above is to be told as: its code, and the sizes that have to be said."""

    name: str
    code: str
    sizes: tuple[str, ...]


OF_TORCH = (
    Broken("add", "SW201", ("8", "16")),
    Broken("caused", "SW201", ("8", "16")),
    Broken("handled", "SW201", ("8", "16")),
    Broken("worker", "SW902", ("5", "6")),
    Broken("weights", "SW901", ("9", "7")),
    Broken("scripted", "SW201", ("3", "4")),
    Broken("compiled", "SW201", ("8", "16")),
)

OF_TENSORFLOW = (
    Broken("wrapped", "SW102", ("4", "5")),
    Broken("symbolic", "SW201", ("8", "16")),
    Broken("eager", "SW201", ("8", "16")),
    Broken("traced", "SW201", ("3", "4")),
    Broken("in_graph", "SW201", ("3", "4")),
    Broken("xla", "SW201", ("3", "4")),
    Broken("fitted", "SW801", ("5", "3")),
)


@dataclass(frozen=True)
class Program:
    """A script, and what each of its functions printed when it failed."""

    lines: tuple[str, ...]
    printed: Mapping[str, str]

    def failing_line(self, name: str) -> str:
        """The line marked with a function's name or, without a mark, none."""
        marked = [line for line in self.lines if re.search(rf"# fails: .*\b{name}\b", line)]
        return marked[0].strip() if marked else ""


def program(folder: Path, source: str, broken: tuple[Broken, ...]) -> Program:
    names = f"({', '.join(each.name for each in broken)},)"
    file = folder / "train.py"
    file.write_text(textwrap.dedent(source) + PRINTED.format(names=names))
    run = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    parts = run.stdout.split("##### ")[1:]
    return Program(
        tuple(file.read_text().splitlines()), {part.split("\n")[0]: part.partition("\n")[2] for part in parts}
    )


@pytest.fixture(scope="module")
def of_torch(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return program(tmp_path_factory.mktemp("torch"), TORCH, OF_TORCH)


@pytest.fixture(scope="module")
def of_tensorflow(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return program(tmp_path_factory.mktemp("tensorflow"), TENSORFLOW, OF_TENSORFLOW)


def explained(text: str) -> Diagnosis:
    diagnosis = shapewatch.explain(text)
    assert diagnosis is not None
    return diagnosis


def check(diagnosis: Diagnosis, broken: Broken, program: Program) -> None:
    said = f"{diagnosis.headline}\n{diagnosis.explanation}"
    assert diagnosis.code == broken.code
    assert all(re.search(rf"\b{size}\b", said) for size in broken.sizes)
    if line := program.failing_line(broken.name):
        assert diagnosis.location is not None
        assert diagnosis.location.source == line
        assert program.lines[diagnosis.location.line - 1].strip() == line
        assert Path(diagnosis.location.file).name == "train.py"


# What the frameworks print


@pytest.mark.parametrize("broken", OF_TORCH, ids=lambda broken: broken.name)
def test_what_pytorch_prints(broken: Broken, of_torch: Program) -> None:
    check(explained(of_torch.printed[broken.name]), broken, of_torch)


@pytest.mark.parametrize("broken", OF_TENSORFLOW, ids=lambda broken: broken.name)
def test_what_keras_and_tensorflow_print(broken: Broken, of_tensorflow: Program) -> None:
    check(explained(of_tensorflow.printed[broken.name]), broken, of_tensorflow)


def test_the_line_of_a_node_in_a_graph(of_tensorflow: Program) -> None:
    """`Detected at node` shows places without code: the line in the traced function counts, not the call of it."""
    location = explained(of_tensorflow.printed["in_graph"]).location
    assert location is not None and location.function == "plus"
    assert of_tensorflow.lines[location.line - 1].strip() == "return x + y"


def test_the_layer_that_keras_names(of_tensorflow: Program) -> None:
    assert explained(of_tensorflow.printed["wrapped"]).layer == "dense"


# The dresses of a text


def every_line(prefix: str) -> Callable[[str], str]:
    return lambda text: "\n".join(prefix + line for line in text.split("\n"))


def with_progress_bars(text: str) -> str:
    bar = "".join(f"\r {done}%|{'#' * (done // 10):<10}| {done}/100 [00:01<00:02, 3.41it/s]" for done in range(100))
    return f"Epoch 1\n{bar}\n{text}"


def wrapped_at(columns: int) -> Callable[[str], str]:
    """As a terminal breaks lines: in the middle of words."""

    def wrapped(text: str) -> str:
        lines = re.sub("\x1b\\[[0-9;]*m", "", text).split("\n")
        return "\n".join(line[at : at + columns] for line in lines for at in range(0, max(1, len(line)), columns))

    return wrapped


def of_two_ranks(text: str) -> str:
    """Two processes that fail at the same time and write into one log, a line each in turn."""
    return "\n".join(f"[rank{rank}]: {line}" for line in text.split("\n") for rank in (0, 1))


DRESSES: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "rank": every_line("[rank0]: "),
    "two ranks": of_two_ranks,
    "torchelastic": every_line("[default3]:"),
    "mpirun": every_line("[1,0]<stderr>:"),
    "srun": every_line("0: "),
    "ray": every_line("(train_loop_per_worker pid=2114, ip=10.0.0.12) "),
    "docker compose": every_line("trainer_1  | "),
    "logging": every_line("2024-05-13 12:00:00,123 - root - ERROR - "),
    "basicConfig": every_line("ERROR:root:"),
    "loguru": every_line("2024-05-13 12:00:00.123 | ERROR    | __main__:<module>:12 - "),
    "hydra": every_line("[2024-05-13 12:00:00,123][__main__][ERROR] - "),
    "syslog": every_line("May 13 12:00:00 node7 train[2114]: "),
    "kubernetes": every_line("2024-05-13T12:00:00.123456789Z "),
    "GitHub": every_line("2024-05-13T12:00:00.1234567Z "),
    "quoted": every_line("> "),
    "quoted twice": every_line("> > "),
    "pytest": every_line("E   "),
    "indented": every_line("        "),
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "JSON": lambda text: json.dumps({"time": "2024-05-13", "level": "error", "message": text}),
    "repr": repr,
    "HTML": lambda text: f"<pre>{html.escape(text)}</pre>",
    "HTML with breaks": lambda text: html.escape(text).replace("\n", "<br/>\n").replace("  ", "&nbsp; "),
    "colours": lambda text: re.sub(r"(\w+Error)", "\x1b[1;31m\\1\x1b[0m", text),
    "colours spelled out": lambda text: re.sub(r"(\w+Error)", r"\\x1b[1;31m\1\\x1b[0m", text),
    "colours half lost": lambda text: re.sub(r"(\w+Error)", r"[1;31m\1[0m", text),
    "progress bars": with_progress_bars,
    "fenced": lambda text: f"It fails as follows:\n```\n{text}\n```\nWhat should I do?",
    "non-breaking spaces": lambda text: text.replace("  ", "\xa0 "),
    "wide terminal": wrapped_at(120),
    "narrow terminal": wrapped_at(80),
}

KEEPS_LINES_WHOLE = {name for name in DRESSES if not name.endswith("terminal")}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("name", ["add", "worker", "weights"])
def test_the_dress_of_a_text(dress: str, name: str, of_torch: Program) -> None:
    broken = next(each for each in OF_TORCH if each.name == name)
    diagnosis = explained(DRESSES[dress](of_torch.printed[name]))
    if dress in KEEPS_LINES_WHOLE:
        check(diagnosis, broken, of_torch)
    assert diagnosis.code == broken.code


@pytest.mark.parametrize("dress", DRESSES)
def test_the_dress_of_a_text_of_keras(dress: str, of_tensorflow: Program) -> None:
    broken = OF_TENSORFLOW[0]
    diagnosis = explained(DRESSES[dress](of_tensorflow.printed[broken.name]))
    if dress in KEEPS_LINES_WHOLE:
        check(diagnosis, broken, of_tensorflow)
    assert diagnosis.code == broken.code


def test_what_rich_prints() -> None:
    """rich draws a box and shows the lines around each frame's."""
    rich = pytest.importorskip("rich.console")
    traceback = pytest.importorskip("rich.traceback")
    stream = io.StringIO()
    try:
        raise RuntimeError("The size of tensor a (8) must match the size of tensor b (16) at non-singleton dimension 1")
    except RuntimeError:
        console = rich.Console(file=stream, width=100)
        console.print(traceback.Traceback())
    diagnosis = explained(stream.getvalue())
    assert diagnosis.code == "SW201"
    assert diagnosis.location is not None and Path(diagnosis.location.file).name == Path(__file__).name
    assert (diagnosis.location.source or "").startswith('raise RuntimeError("The size of tensor a')


def test_what_pytest_prints(tmp_path: Path) -> None:
    (tmp_path / "test_model.py").write_text(
        "import torch\n\ndef add(x, y):\n    return x + y\n\n"
        "def test_add():\n    add(torch.ones(2, 3), torch.ones(2, 4))\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_model.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    diagnosis = explained(run.stdout)
    assert diagnosis.code == "SW201"
    assert diagnosis.location == Span("test_model.py", 4, "return x + y")


NOTEBOOKS = {
    "a cell by its number": """\
        ---------------------------------------------------------------------------
        RuntimeError                              Traceback (most recent call last)
        Cell In[7], line 2
              1 x = torch.ones(2, 8, 6, 6)
        ----> 2 y = block(x)

        File /opt/conda/lib/python3.10/site-packages/torch/nn/modules/module.py:1511, in Module._wrapped_call_impl(self)
           1509     return self._compiled_call_impl(*args, **kwargs)
           1510 else:
        -> 1511     return self._call_impl(*args, **kwargs)

        Cell In[5], line 9, in Block.forward(self, x)
              8 def forward(self, x):
        ----> 9     return x + self.conv(x)

        RuntimeError: The size of tensor a (8) must match the size of tensor b (16) at non-singleton dimension 1
        """,
    "a cell by its hash": """\
        ---------------------------------------------------------------------------
        RuntimeError                              Traceback (most recent call last)
        <ipython-input-7-1d8aa0d54b41> in <module>()
              1 x = torch.ones(2, 8, 6, 6)
        ----> 2 y = block(x)

        /usr/local/lib/python3.6/dist-packages/torch/nn/modules/module.py in __call__(self, *input, **kwargs)
            488         else:
        --> 489             result = self.forward(*input, **kwargs)
            490         for hook in self._forward_hooks.values():

        <ipython-input-5-3f7a0e1c2b4d> in forward(self, x)
              8     def forward(self, x):
        ----> 9         return x + self.conv(x)

        RuntimeError: The size of tensor a (8) must match the size of tensor b (16) at non-singleton dimension 1
        """,
}


@pytest.mark.parametrize("text", NOTEBOOKS.values(), ids=NOTEBOOKS.keys())
def test_what_notebooks_show(text: str) -> None:
    diagnosis = explained(textwrap.dedent(text))
    assert diagnosis.code == "SW201"
    assert diagnosis.location is not None
    assert (diagnosis.location.line, diagnosis.location.source) == (9, "return x + self.conv(x)")


MULTIPLIED = "mat1 and mat2 shapes cannot be multiplied (64x512 and 256x10)"

PRINTED_ELSEWHERE = {
    "TensorFlow 1 tells where the operation was made": """\
        Traceback (most recent call last):
          File "mnist.py", line 40, in <module>
            sess.run(step, feed_dict={x: images, y: labels})
          File "/usr/lib/python3/dist-packages/tensorflow/python/client/session.py", line 900, in run
            run_metadata_ptr)
        tensorflow.python.framework.errors_impl.InvalidArgumentError: Incompatible shapes: [64,512] vs. [64,256]
        \t [[Node: add_1 = Add[T=DT_FLOAT](MatMul, Variable_1/read)]]

        Caused by op 'add_1', defined at:
          File "mnist.py", line 9, in <module>
            return self.fc(x)
          File "/usr/lib/python3/dist-packages/tensorflow/python/ops/math_ops.py", line 907, in binary_op_wrapper
            return func(x, y, name=name)

        InvalidArgumentError (see above for traceback): Incompatible shapes: [64,512] vs. [64,256]
        """,
    "Keras 2 wraps in its own frames": """\
        ValueError: in user code:

            File "/opt/lib/python3.8/site-packages/keras/engine/training.py", line 1051, in train_function  *
                return step_function(self, iterator)
            File "/home/ada/train.py", line 9, in call  *
                return self.fc(x)

            ValueError: Exception encountered when calling layer 'net' (type Net).

            Input 0 of layer "fc" is incompatible with the layer: expected axis -1 of input shape to have value 256, \
but received input with shape (64, 512)

            Call arguments received by layer 'net' (type Net):
              • x=tf.Tensor(shape=(64, 512), dtype=float32)
        """,
    "TensorFlow 2.2 shows places in short": """\
        ValueError: in user code:

            /usr/lib/python3/dist-packages/tensorflow/python/keras/engine/training.py:571 train_function  *
                outputs = self.distribute_strategy.run(
            <ipython-input-12-a1b2c3>:9 call  *
                return self.fc(x)

            ValueError: Dimensions must be equal, but are 512 and 256 for '{{node add}} = AddV2[T=DT_FLOAT](x, y)' \
with input shapes: [64,512], [64,256].
        """,
    "a replica of DataParallel": f"""\
        Traceback (most recent call last):
          File "train.py", line 31, in <module>
            out = model(x)
          File "/opt/lib/python3.7/site-packages/torch/nn/parallel/data_parallel.py", line 152, in forward
            outputs = self.parallel_apply(replicas, inputs, kwargs)
        RuntimeError: Caught RuntimeError in replica 0 on device 0.
        Original Traceback (most recent call last):
          File "/opt/lib/python3.7/site-packages/torch/nn/parallel/parallel_apply.py", line 60, in _worker
            output = module(*input, **kwargs)
          File "net.py", line 9, in forward
            return self.fc(x)
        RuntimeError: {MULTIPLIED}
        """,
    "the launcher fails after the program": f"""\
        Traceback (most recent call last):
          File "net.py", line 9, in forward
            return self.fc(x)
        RuntimeError: {MULTIPLIED}
        ERROR:torch.distributed.elastic.multiprocessing.api:failed (exitcode: 1) local_rank: 0 (pid: 1234)
        Traceback (most recent call last):
          File "/opt/bin/torchrun", line 8, in <module>
            sys.exit(main())
        torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
        """,
    "a group of exceptions": f"""\
          + Exception Group Traceback (most recent call last):
          |   File "train.py", line 31, in <module>
          |     raise ExceptionGroup("several", errors)
          | ExceptionGroup: several (1 sub-exception)
          +-+---------------- 1 ----------------
            | Traceback (most recent call last):
            |   File "net.py", line 9, in forward
            |     return self.fc(x)
            | RuntimeError: {MULTIPLIED}
            +------------------------------------
        """,
    "a form took the indentation away": f"""\
        File "net.py", line 9, in forward
        return self.fc(x)
        File "/opt/lib/python3.9/site-packages/torch/nn/functional.py", line 1848, in linear
        return torch._C._nn.linear(input, weight, bias)
        RuntimeError: {MULTIPLIED}
        """,
    "somebody printed the message without its type": f"""\
        Traceback (most recent call last):
          File "net.py", line 9, in forward
            return self.fc(x)
        {MULTIPLIED}
        """,
    "a path of Windows in a repr": repr(
        'Traceback (most recent call last):\n  File "C:\\new\\train\\net.py", line 9, in forward\n'
        f"    return self.fc(x)\nRuntimeError: {MULTIPLIED}\n"
    ),
}


@pytest.mark.parametrize("text", PRINTED_ELSEWHERE.values(), ids=PRINTED_ELSEWHERE.keys())
def test_what_others_print(text: str) -> None:
    """Other releases, launchers and forms: the sizes and the line of the program are found all the same."""
    diagnosis = explained(textwrap.dedent(text))
    said = f"{diagnosis.headline}\n{diagnosis.explanation}"
    assert "512" in said and "256" in said
    assert diagnosis.location is not None
    assert (diagnosis.location.line, diagnosis.location.source) == (9, "return self.fc(x)")
    assert "\\\\" not in diagnosis.location.file


# Which error of several


SIZES = "RuntimeError: The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton dimension 1\n"


def test_the_last_of_several_is_explained() -> None:
    diagnosis = explained(SIZES.format(30, 31) + "retrying\n" + SIZES.format(50, 70) + "KeyboardInterrupt\n")
    assert "50" in diagnosis.headline and "70" in diagnosis.headline
    assert "another shape error" in diagnosis.explanation


def test_the_same_error_of_every_rank_is_one() -> None:
    diagnosis = explained("".join(f"[rank{rank}]: {SIZES.format(30, 31)}" for rank in range(8)))
    assert "another" not in diagnosis.explanation.splitlines()[-1]


def test_a_warning_steps_back_behind_an_error() -> None:
    warning = (
        "train.py:8: UserWarning: Using a target size (torch.Size([32])) that is different to the input size "
        "(torch.Size([32, 1])). This will likely lead to incorrect results due to broadcasting.\n"
    )
    diagnosis = explained(SIZES.format(30, 31) + warning)
    assert "30" in diagnosis.headline and "31" in diagnosis.headline


ORDINARY = (
    "",
    "hello",
    "KeyError: 'shape'",
    "FileNotFoundError: [Errno 2] No such file or directory: 'size.json'",
    "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 8.00 GiB total capacity)",
    "RuntimeError: expected scalar type Float but found Double",
    "RuntimeError: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!",
    "epoch 3 step 120 loss 2.31 input shape (64, 3, 32, 32) batch size 64",
    "Traceback (most recent call last):\n"
    '  File "a.py", line 1, in <module>\n    x = torch.ones(2, 3) + torch.ones(2, 4)\n'
    "NameError: name 'torch' is not defined",
)


@pytest.mark.parametrize("text", ORDINARY)
def test_a_text_without_shape_error(text: str) -> None:
    assert shapewatch.explain(text) is None


# Exceptions


def raised() -> Exception:
    import torch

    try:
        torch.ones(2, 3) + torch.ones(2, 4)
    except RuntimeError as error:
        return error
    raise AssertionError("it did not fail")


def test_an_exception() -> None:
    diagnosis = shapewatch.explain(raised())
    assert diagnosis is not None and diagnosis.code == "SW201"
    assert diagnosis.location is not None
    assert (diagnosis.location.file, diagnosis.location.source) == (__file__, "torch.ones(2, 3) + torch.ones(2, 4)")


def test_an_exception_that_never_was_raised() -> None:
    diagnosis = shapewatch.explain(RuntimeError(SIZES.format(30, 31)))
    assert diagnosis is not None and diagnosis.location is None


def test_an_exception_that_came_from_another() -> None:
    try:
        raise KeyError("no batch") from raised()
    except KeyError as error:
        diagnosis = shapewatch.explain(error)
    assert diagnosis is not None and diagnosis.location is not None
    assert diagnosis.location.source == "torch.ones(2, 3) + torch.ones(2, 4)"


def test_an_exception_whose_origin_was_hidden() -> None:
    """As Keras does: the framework's own error is on `__context__` alone."""
    try:
        try:
            raise raised()
        except RuntimeError:
            raise ValueError("the step failed") from None
    except ValueError as error:
        diagnosis = shapewatch.explain(error)
    assert diagnosis is not None and diagnosis.code == "SW201"


def test_notes_are_not_read() -> None:
    error = KeyError("step")
    error.add_note(SIZES.format(30, 31))
    assert shapewatch.explain(error) is None


def test_an_exception_is_left_as_it_was() -> None:
    error = raised()
    error.add_note("a note")
    before = (error.args, error.__traceback__, error.__cause__, error.__context__, list(error.__notes__))
    shapewatch.explain(error)
    assert (error.args, error.__traceback__, error.__cause__, error.__context__, error.__notes__) == before


def test_what_is_no_error() -> None:
    with pytest.raises(ValueError, match="takes an exception or a text, not int"):
        shapewatch.explain(3)  # type: ignore[arg-type]


def test_no_framework_is_imported() -> None:
    program = (
        "import sys, shapewatch;"
        f"shapewatch.explain({SIZES.format(3, 4)!r});"
        "print(*sorted({'torch', 'tensorflow', 'keras', 'jax', 'numpy', 'rich'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == []


# What is said


def test_it_says_that_it_has_only_the_text() -> None:
    diagnosis = explained(SIZES.format(24, 23))
    assert diagnosis.explanation.splitlines()[-1].startswith(FROM_TEXT)
    assert diagnosis.severity == "error"
    assert diagnosis.suspects and len(diagnosis.fixes) == len(diagnosis.suspects)
    assert [fix.verified for fix in diagnosis.fixes] == [None] * len(diagnosis.fixes)
    assert all(fix.why_not for fix in diagnosis.fixes)


def test_each_suspect_is_a_line_of_the_explanation() -> None:
    diagnosis = explained(SIZES.format(24, 23))
    lines = diagnosis.explanation.splitlines()
    told = lines[-1 - len(diagnosis.suspects) : -1]
    for number, (line, suspect) in enumerate(zip(told, diagnosis.suspects, strict=True), start=1):
        assert line.startswith(f"{number}. ") and suspect.because in line and suspect.change in line
    weights = [suspect.weight for suspect in diagnosis.suspects]
    assert weights == sorted(weights, reverse=True)


def test_a_diagnosis_from_text_goes_through_json() -> None:
    report = explain_text([SIZES.format(24, 23)])
    assert report is not None
    assert Report.from_dict(json.loads(report.to_json())) == report


def test_the_last_resort_of_a_watch() -> None:
    """A failure of which nothing was recorded that a rule could speak about."""
    no_adapter: Any = None
    span = Span("train.py", 12, "y = step(x)", "main")
    message = SIZES.format(24, 23).partition(": ")[2].strip()
    recording = Recording("fake", failure=Failure("RuntimeError", message, None, span))
    (diagnosis,) = diagnose(recording, no_adapter, None).diagnoses
    assert diagnosis.code == "SW201" and diagnosis.location == span
    assert diagnosis.explanation.splitlines()[-1].startswith(FROM_MESSAGE)
    nothing = Recording("fake", failure=Failure("KeyError", "'step'", None, span))
    assert diagnose(nothing, no_adapter, None).diagnoses == ()


UNET = """\
Traceback (most recent call last):
  File "train.py", line 31, in <module>
    loss = criterion(model(images), masks)
  File "/home/ada/.venv/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1511, in _wrapped_call_impl
    return self._call_impl(*args, **kwargs)
  File "models/unet.py", line 54, in forward
    x = torch.cat([up, skip], dim=1)
RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 44 but got size 45 \
for tensor number 1 in the list.
"""

DENSE = """\
Traceback (most recent call last):
  File "train.py", line 8, in <module>
    model(np.ones((2, 5)))
  File "/usr/lib/python3/dist-packages/keras/src/utils/traceback_utils.py", line 122, in error_handler
    raise e.with_traceback(filtered_tb) from None
ValueError: Exception encountered when calling Sequential.call().

\x1b[1mInput 0 of layer "dense" is incompatible with the layer: expected axis -1 of input shape to have value 4, but \
received input with shape (2, 5)\x1b[0m

Arguments received by Sequential.call():
  • inputs=tf.Tensor(shape=(2, 5), dtype=float32)
  • training=None
"""

GOLDEN = {"unet": UNET, "dense": DENSE, "several": UNET + SIZES.format(50, 70) + SIZES.format(30, 31)}


@pytest.mark.parametrize("name", GOLDEN)
def test_what_it_looks_like(name: str, pytestconfig: pytest.Config) -> None:
    report = explain_text([GOLDEN[name]])
    assert report is not None
    text = as_text(report)
    golden.check(f"explain/{name}.txt", text, pytestconfig)
    assert max(len(line) for line in text.splitlines()) <= 80


# The command


def command(*words: str, stdin: str | bytes = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    run = subprocess.run(
        [sys.executable, "-m", "shapewatch", "explain", *words],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        timeout=120,
        check=False,
        env={name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
        | {"PYTHONPATH": str(Path(shapewatch.__file__).parents[1])},
    )
    return subprocess.CompletedProcess(run.args, run.returncode, run.stdout.decode(), run.stderr.decode())


def test_a_file_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "job.log").write_text(UNET)
    from_file, piped, dash = command("job.log", cwd=tmp_path), command(stdin=UNET), command("-", stdin=UNET)
    assert from_file.returncode == piped.returncode == dash.returncode == 0
    assert from_file.stdout == piped.stdout == dash.stdout
    assert "SW401" in from_file.stdout and "models/unet.py:54" in from_file.stdout
    assert from_file.stderr == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_of_another_encoding(encoding: str) -> None:
    assert "SW401" in command(stdin=UNET.encode(encoding)).stdout


def test_bytes_that_are_no_text() -> None:
    ended = command(stdin=b"\xff\x00\xfe\x80" * 100 + b"\n" + UNET.encode())
    assert ended.returncode == 0 and "SW401" in ended.stdout


def test_no_shape_error_is_said_and_exits_1() -> None:
    ended = command(stdin="KeyError: 'x'\n")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1 and "no shape error" in ended.stderr


def test_json(tmp_path: Path) -> None:
    ended = command("--format", "json", stdin=UNET)
    data = json.loads(ended.stdout)
    assert data["diagnoses"][0]["code"] == "SW401"
    assert data["diagnoses"][0]["location"]["line"] == 54
    assert command("-o", "out.json", stdin=UNET, cwd=tmp_path).stdout == ""
    assert Report.load(tmp_path / "out.json").to_dict() == data


@pytest.mark.parametrize("what", ["SW401", "sw401", "concat-axes-differ", "Concat-Axes-Differ"])
def test_the_page_of_a_code(what: str) -> None:
    ended = command(what)
    assert ended.returncode == 0
    assert ended.stdout.startswith("SW401 concat-axes-differ")
    assert "What it means" in ended.stdout and "torch.cat(" in ended.stdout


def test_every_page_is_shown() -> None:
    from shapewatch.render import page_text
    from shapewatch.render.page import Page

    for rule in RULES:
        text = page_text(Page(rule.code, rule.name, rule.severity, rule.page))
        words = re.findall(r"\w+", rule.page)
        assert [word for word in words if word not in text] == []
        assert "##" not in text


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("SW40", "did you mean SW40"),
        ("sw000", "there is no code SW000"),
        ("branch-differs", "did you mean SW201 (branches-differ)"),
        ("no_such.log", "there is no file `no_such.log`"),
        (".", "cannot be read"),
    ],
)
def test_what_there_is_not(what: str, said: str, tmp_path: Path) -> None:
    ended = command(what, cwd=tmp_path)
    assert ended.returncode == 2
    assert said in ended.stderr and len(ended.stderr.splitlines()) == 1


def test_a_file_that_is_called_like_a_code(tmp_path: Path) -> None:
    (tmp_path / "SW401").write_text(SIZES.format(3, 4))
    assert "SW201" in command("SW401", cwd=tmp_path).stdout


def test_at_a_terminal_it_says_what_it_waits_for() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "shapewatch", "explain"], stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    os.write(ours, SIZES.format(3, 4).encode() + b"\x04")
    out, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "Ctrl-D" in err.decode() and len(err.decode().splitlines()) == 1
    assert "SW201" in out.decode()
