"""What shapewatch has to say, as plain frozen data: diagnoses with their causes and fixes, and the report of them."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from shapewatch import codec
from shapewatch.edits import Edit, Target
from shapewatch.flow.junctions import Junction
from shapewatch.recording import Call, Layer, Recording, Shape, Span

SCHEMA = 1
"""Version of the JSON that `Report.to_dict` writes; raised when a name in it changes its meaning or goes."""

Severity = Literal["error", "warning", "note"]

Verified = Literal["forward", "junction", False] | None
"""How far a fix was proven; see CONTRACT: `Fix.verified`."""


@dataclass(frozen=True)
class Cause:
    """The layer or operation to blame. `location` is where it is made or, failing that, where it is called."""

    layer: str | None
    type: str
    location: Span | None = None
    reason: str = ""


@dataclass(frozen=True)
class Fix:
    """A change, what writing it looks like, and how far it was proven.

    `edit` is the change as the framework's users would spell it; `changes` is the same in shapewatch's own algebra,
    from which `applied` works. `evidence` gives the facts of the model that speak for this fix, a phrase each.
    `location` is the line that `code` stands in the place of, where that is none of those that make what is changed.
    """

    title: str
    code: str
    edit: Mapping[str, Any]
    changes: tuple[Edit, ...]
    framework: str
    verified: Verified = None
    why_not: str | None = None
    output_shape: Any = None
    parameters_added: int | None = None
    evidence: tuple[str, ...] = ()
    patch: str | None = None
    location: Span | None = None

    def applied(self, model: Any) -> AbstractContextManager[Any]:
        """The model with this fix in place, in memory, undone at the end of the block.

        Raises:
            ValueError: the model has no layer of the name that the fix is about, or the fix is about the labels.
        """
        from shapewatch.adapters import adapter_of

        if any(isinstance(edit, Target) for edit in self.changes):
            raise ValueError(f"this fix is no change of a model: {self.title}")
        return adapter_of(model).applied(model, self.changes)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A probable cause, where only a text is known. `weight`: how much speaks for it, 0 to 1; `because`: in words.

    cause    "the image size is not divisible by the network's total stride"
    because  "23 and 24 differ by one, as a size does that was halved while odd and doubled again"
    change   "pad or crop the input to a multiple of 32, or crop the larger map before they meet"
    look     "print the shapes of both before this line", where that would decide between the suspects
    code     what to write, where that can be said without seeing the program
    """

    cause: str
    because: str
    change: str
    weight: float
    look: str = ""
    code: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """One thing that is wrong, or looks wrong. See CONTRACT for each attribute.

    `suspects`: of a diagnosis that was made from the text of an error, the probable causes, best first; `fixes` and
    the last lines of `explanation` say the same.
    """

    code: str
    name: str
    severity: Severity
    headline: str
    explanation: str
    cause: Cause | None = None
    location: Span | None = None
    junction: Junction | None = None
    fixes: tuple[Fix, ...] = ()
    layer: str | None = None
    suspects: tuple[Suspect, ...] = ()

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        return Report(Recording(""), diagnoses=(self,))._repr_html_()


@dataclass(frozen=True)
class Report:
    """A recording, the junctions found in it and the diagnoses made of it."""

    recording: Recording
    junctions: tuple[Junction, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    output: Any = None
    notes: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """No diagnosis of severity `error`."""
        return not any(diagnosis.severity == "error" for diagnosis in self.diagnoses)

    @property
    def frameworks(self) -> tuple[str, ...]:
        """The framework of the model and, where it runs on another one, that one."""
        return tuple(name for name in (self.recording.framework, self.recording.backend) if name)

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.recording.calls

    @property
    def layers(self) -> tuple[Layer, ...]:
        return self.recording.layers

    def output_shapes(self, call: Call) -> tuple[Shape, ...]:
        """The shapes that a call gave, in order."""
        return tuple(self.recording.shape(number) for number in call.results)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data; shapes are lists, null for an unknown size."""
        whole: dict[str, Any] = {
            "schema": SCHEMA,
            "ok": self.ok,
            "frameworks": list(self.frameworks),
            "diagnoses": codec.encode(self.diagnoses),
            "output": codec.encode(self.output),
            "junctions": codec.encode(self.junctions),
            "notes": list(self.notes),
        }
        recording = codec.encode(self.recording)
        for call, plain in zip(self.calls, recording["calls"], strict=True):
            plain["output_shapes"] = codec.encode(self.output_shapes(call))
        return whole | recording

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Report:
        """The report that `to_dict` wrote.

        Raises:
            ValueError: the data is not a report, or of a newer schema than this shapewatch reads.
        """
        if isinstance(data, Mapping) and "runs" in data and "schema" not in data:
            raise ValueError("this is SARIF, which leaves most of a recording out; save the report as .json")
        if not isinstance(data, Mapping) or "schema" not in data:
            raise ValueError("this is no shapewatch report: it has no `schema`")
        if (schema := data["schema"]) != SCHEMA:
            newer = ", update it" if type(schema) is int and schema > SCHEMA else ""
            raise ValueError(
                f"this report has schema {reprlib.repr(schema)}; this shapewatch reads schema {SCHEMA}{newer}"
            )
        try:
            report = cls(
                recording=codec.decode(Recording, data),
                junctions=codec.decode(tuple[Junction, ...], data["junctions"]),
                diagnoses=codec.decode(tuple[Diagnosis, ...], data["diagnoses"]),
                output=codec.decode(Any, data["output"]),
                notes=codec.decode(tuple[str, ...], data["notes"]),
            )
        except KeyError as error:
            raise ValueError(f"this is no whole shapewatch report: it has no `{error.args[0]}`") from error
        except ValueError as error:
            raise ValueError(f"this is no whole shapewatch report: {error}") from error
        if stray := report.recording.stray():
            raise ValueError(f"this is no whole shapewatch report: {stray}")
        return report

    def to_json(self, indent: int | None = 2) -> str:
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def without_source(self) -> Report:
        """The report without lines of the program, for readers who may know its shapes and not its code.

        The code of fixes goes too: it is often such a line with one word changed. Names of layers, variables and files,
        messages, and what a sentence quotes of an expression stay.
        """
        from shapewatch.render.bare import without_source

        return without_source(self)

    def save(self, path: str | Path, *, source: bool = True) -> Path:
        """Write the report; the suffix picks the format. Without `source`, no line of the program is in it.

        Raises:
            ValueError: no format has this suffix.
        """
        from shapewatch.render import write_report

        return write_report(self if source else self.without_source(), Path(path))

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """The report that `to_json` wrote. Bytes are UTF-8, or what a byte order mark in front of them says.

        Raises:
            ValueError: the text is no shapewatch report.
        """
        from shapewatch.render.json import read_json

        return cls.from_dict(read_json(text))

    @classmethod
    def load(cls, path: str | Path) -> Report:
        """Read a report that `save` wrote as `.json`.

        Raises:
            ValueError: the file is no shapewatch report.
            OSError: the file cannot be read.
        """
        try:
            return cls.from_json(Path(path).read_bytes())
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error

    def __str__(self) -> str:
        from shapewatch.render import as_text

        return as_text(self)

    def __rich__(self) -> Any:
        from shapewatch.render import as_rich

        return as_rich(self)

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        from shapewatch.render import notebook_html

        return notebook_html(self)
