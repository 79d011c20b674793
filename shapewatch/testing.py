"""For tests: recordings written by hand, without a framework, and an assertion for tests of models.

    tape = Tape()
    x = tape.input(2, 16, 32, 32)
    with tape.inside("block", "Block", x):
        y = tape.layer("block.conv", "conv", x, shape=(2, 32, 16, 16), in_channels=16, out_channels=32, stride=2)
        tape.fails("add", y, x, message="The size of tensor a (16) must match the size of tensor b (32)")
    recording = tape.recording()

A `Tape` is a fake framework: what is called on it is written down as an adapter would have recorded it. Rules, the
search for junctions and reports can be tried on such recordings where no framework is installed.

    def test_the_model_takes_square_images():
        assert_no_shape_errors(Net(), input_shape=(1, 3, 224, 224))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from shapewatch import axes
from shapewatch.recording import Call, Failure, Layer, Origin, Recording, Shape, TensorSpec, Value
from shapewatch.report import Report
from shapewatch.watching import check

__all__ = ["Tape", "assert_no_shape_errors"]


class Tape:
    """Builds one `Recording`, call by call. Sizes are axes from the left; None is an unknown size.

    Everything runs inside one outermost layer whose class is called `root` and whose path is "". What the last call
    gave is the output, unless `recording` is told another. After `fails` no call is taken: ValueError.
    """

    def __init__(self, root: str = "Model", framework: str = "fake") -> None:
        self._framework = framework
        self._root = root
        self._values: list[Value] = []
        self._layers: dict[str, Layer] = {"": Layer("", root, "module", leaf=False)}
        self._calls: list[Call] = [Call(0, root, "module", "", True, None, (), finished=False)]
        self._open = [0]
        self._failure: Failure | None = None

    def input(self, *sizes: int | None, name: str | None = None, dtype: str = "float32") -> Value:
        """An input of the model."""
        return self._value(sizes, "input", name, dtype)

    def parameter(self, name: str, *sizes: int | None) -> Value:
        """A weight, which is no branch of the data flow wherever it is used."""
        return self._value(sizes, "parameter", name)

    def constant(self, *sizes: int | None) -> Value:
        """A tensor that the program made from nothing that was watched."""
        return self._value(sizes, "constant", None)

    def op(
        self, name: str, *operands: Value, shape: Shape | None = None, kind: str | None = None, **facts: Any
    ) -> Value:
        """An operation in the forward of the innermost open layer. Its kind is its name unless given.

        Without `shape`, the operands are broadcast.

        Raises:
            ValueError: no shape was given and the operands do not broadcast; `fails` writes down a call that raised.
        """
        if shape is None:
            shape = axes.broadcast([operand.shape for operand in operands])
        if shape is None:
            raise ValueError(f"{name} cannot give one shape of {[operand.shape for operand in operands]}; say which")
        number = self._call(name, kind or name, self._here(), False, operands, facts)
        return self._close(number, shape)

    def layer(
        self,
        path: str,
        kind: str,
        *operands: Value,
        shape: Shape | None = None,
        type: str | None = None,
        name: str = "",
        auto_named: bool = False,
        **facts: Any,
    ) -> Value:
        """A call of a layer that is taken as a whole; `facts` are its settings. Without `shape`: that of its input.

        `name` and `auto_named` are the layer's, see `Layer`. A layer that was called before keeps its settings.
        """
        self._add_layer(path, kind, type, facts, name, auto_named)
        number = self._call(type or kind.title(), kind, path, True, operands, {})
        return self._close(number, operands[0].shape if shape is None else shape)

    @contextmanager
    def inside(self, path: str, type: str, *operands: Value) -> Iterator[None]:
        """What is called in the block runs in the forward of this layer, which gives what the last of it gave."""
        self._layers.setdefault(path, Layer(path, type, "module", leaf=False))
        number = self._call(type, "module", path, True, operands, {}, finished=False)
        self._open.append(number)
        try:
            yield
        finally:
            self._open.pop()
        if self._failure is None:
            last = self._calls[-1].results
            self._calls[number] = replace(self._calls[number], results=last, finished=True)

    def fails(
        self,
        name: str,
        *operands: Value,
        layer: str | None = None,
        kind: str | None = None,
        type: str | None = None,
        message: str = "the sizes do not fit",
        error: str = "RuntimeError",
        **facts: Any,
    ) -> None:
        """The call that raises, and with which the pass ends: an operation or, with `layer` its path, a layer's.

        `name` is the operation's name, or the kind of the layer; `type` is the layer's class.
        """
        if layer is None:
            number = self._call(name, kind or name, self._here(), False, operands, facts, finished=False)
        else:
            self._add_layer(layer, name, type, facts)
            number = self._call(type or name.title(), name, layer, True, operands, {}, finished=False)
        self._failure = Failure(error, message, number)

    def recording(self, *outputs: Value) -> Recording:
        """What happened so far. `outputs` are what the model returned; left out, what the last call gave."""
        inputs = tuple(value.number for value in self._values if value.origin == "input")
        given = tuple(value.number for value in outputs) or self._calls[-1].results
        if self._failure is not None:
            given = ()
        outermost = replace(self._calls[0], operands=inputs, results=given, finished=self._failure is None)
        return Recording(
            framework=self._framework,
            values=tuple(self._values),
            calls=(outermost, *self._calls[1:]),
            layers=tuple(self._layers.values()),
            inputs=inputs,
            outputs=given,
            failure=self._failure,
            root=self._root,
        )

    # The parts of it

    def _here(self) -> str:
        return self._calls[self._open[-1]].layer

    def _value(self, sizes: Shape, origin: Origin, name: str | None, dtype: str = "float32") -> Value:
        value = Value(len(self._values), TensorSpec(tuple(sizes), dtype), origin, name)
        self._values.append(value)
        return value

    def _add_layer(
        self,
        path: str,
        kind: str,
        type: str | None,
        facts: Mapping[str, Any],
        name: str = "",
        auto_named: bool = False,
    ) -> None:
        layer = Layer(path, type or kind.title(), kind, dict(facts), name=name, auto_named=auto_named)
        self._layers.setdefault(path, layer)

    def _call(
        self,
        name: str,
        kind: str,
        layer: str,
        is_layer: bool,
        operands: tuple[Value, ...],
        facts: Mapping[str, Any],
        finished: bool = True,
    ) -> int:
        if self._failure is not None:
            raise ValueError("the pass has ended: a call failed before this one")
        number, parent = len(self._calls), self._open[-1]
        numbers = tuple(operand.number for operand in operands)
        alike = [call for call in self._calls if call.parent == parent and call.is_layer == is_layer]
        occurrence = sum(call.layer == layer if is_layer else call.name == name for call in alike)
        self._calls.append(
            Call(number, name, kind, layer, is_layer, parent, numbers, (), dict(facts), None, occurrence, finished)
        )
        return number

    def _close(self, number: int, shape: Shape) -> Value:
        value = self._value(shape, "call", None)
        self._calls[number] = replace(self._calls[number], results=(value.number,))
        return value


def assert_no_shape_errors(model: Any, *args: Any, input_shape: Any = None, **kwargs: Any) -> Report:
    """Check a model on shapes alone, as `shapewatch.check` does, and give its report.

    Raises:
        AssertionError: shapes do not fit, with the report as the message; or the pass could not be followed to its
            end, with the reason: what was not seen is not asserted.
        UsageError: there is no telling the model's inputs.
    """
    __tracebackhide__ = True
    report = check(model, *args, input_shape=input_shape, **kwargs)
    if not report.ok:
        raise AssertionError(str(report))
    if report.notes:
        raise AssertionError(" ".join(report.notes))
    return report
