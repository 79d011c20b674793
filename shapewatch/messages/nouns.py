"""What a text says, as plain frozen data.

Template   a message of a framework, with holes where it has sizes and names
Reading    a template that was found in a text, and what stood in its holes
Frame      one entry of a pasted traceback
Pasted     everything that a text tells: the reading, the frames, what wrapped the error
Suspect    a probable cause: why it is thought of, where to look, what to change (of `report`, which shows it)
Told       what a fault's file makes of a Pasted
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shapewatch.recording import Shape
from shapewatch.report import Suspect

__all__ = ["Frame", "Pasted", "Reading", "Suspect", "Template", "Told"]


@dataclass(frozen=True, slots=True)
class Template:
    """A message, with holes `{name:kind}`; `template.py` has the kinds and compiles them.

    `fault` names the file in `faults/` that explains it, and so which facts it has to give. `facts` are facts that
    the wording tells without a hole; `releases` among them says what other releases do otherwise, for any fault.
    `example` raises it with the installed framework; where only other releases or libraries word it so, `example` is
    empty, `seen` is a message as they raise it, and `release` says which.
    `beside`: the message is of shapes only where the line of code that raised it has one of these words.
    `unless_fits`: names of two shapes, given and declared: where the one fits in the other, it is of something else.
    """

    text: str
    fault: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    example: str = ""
    seen: str = ""
    release: str = ""
    beside: tuple[str, ...] = ()
    unless_fits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A template as it was found, and where. `facts`: sizes as integers (None: unknown), shapes as tuples, names as
    text."""

    template: Template
    framework: str
    facts: Mapping[str, Any]
    message: str
    at: int = 0

    @property
    def end(self) -> int:
        return self.at + len(self.message)

    @property
    def fault(self) -> str:
        return self.template.fault

    def shape(self, name: str) -> Shape | None:
        """A fact that is a shape; None where the message does not give it."""
        given = self.facts.get(name)
        return given if isinstance(given, tuple) else None


@dataclass(frozen=True, slots=True)
class Frame:
    """One entry of a pasted traceback. `source` is its line of code, empty where the text does not show it."""

    file: str
    line: int
    function: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Pasted:
    """Everything that a text tells about one error.

    `reading`: what explains it; `readings`: that one and every other of the same message, in the order of the text (an
    error in loading weights names dozens of them). `error`: the exception's type, without its module.
    `frames`: outermost first, of the exception that was read. `user`: the innermost frame that is neither of a
    framework nor of an installed package, or else of the innermost package that is no framework; None where no frame
    is shown. `near`: the innermost frame that is of no framework, and those below it: the line that raised.
    `library`: the package whose line raised, where it is neither a framework's nor the user's own.
    `wrapped_by`: what stood around the message, outermost first: `keras`, `graph`, `dynamo`, `export`, `torchscript`,
    `xla`, `onnx`, `dataloader`, `distributed`, `lightning`.
    `is_retyped`: the text has the message in other words, and `reading` is of the framework's own.
    """

    reading: Reading
    readings: tuple[Reading, ...] = ()
    error: str = ""
    frames: tuple[Frame, ...] = ()
    user: Frame | None = None
    near: tuple[Frame, ...] = ()
    wrapped_by: tuple[str, ...] = ()
    library: str = ""
    is_retyped: bool = False

    def says_what(self, other: Pasted) -> bool:
        """Whether it is the same message."""
        return self.reading.template == other.reading.template and self.reading.facts == other.reading.facts

    def runs(self, *words: str) -> bool:
        """Whether a frame's function, file or line of code has one of these words in it, in any case."""
        return _any_has(self.frames, words)

    def raises(self, *words: str) -> bool:
        """The same of the line that raised and what it called. `loss = model(x)` calls much that is no loss."""
        return _any_has(self.near or self.frames, words)


def _any_has(frames: tuple[Frame, ...], words: tuple[str, ...]) -> bool:
    return any(
        word in part.lower()
        for frame in frames
        for part in (frame.function, frame.file, frame.source)
        for word in words
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What can be said of an error from its text: the sentence, what the message means, and who is suspected.

    `code`: the code of the catalogue, empty where the text tells too little for one. `layer`, `type`: the layer that
    the text itself names, if it does.
    """

    code: str
    headline: str
    meaning: str
    suspects: tuple[Suspect, ...]
    layer: str | None = None
    type: str = ""
