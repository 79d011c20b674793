"""What a text says, as plain frozen data.

Template   a message of a framework, with holes where it has sizes and names
Reading    a template that was found in a text, and what stood in its holes
Frame      one entry of a pasted traceback
Pasted     everything that a text tells: the reading, the frames, what wrapped the error
Suspect    a probable cause: why it is thought of, where to look, what to change
Told       what a fault's file makes of a Pasted
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shapewatch.recording import Shape


@dataclass(frozen=True, slots=True)
class Template:
    """A message, with holes `{name:kind}`; `template.py` has the kinds and compiles them.

    `fault` names the file in `faults/` that explains it, and so which facts it has to give. `facts` are facts that
    the wording tells without a hole. `example` raises it with the installed framework; where only other releases or
    libraries word it so, `example` is empty, `seen` is a message as they raise it, and `release` says which.
    """

    text: str
    fault: str
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)
    example: str = ""
    seen: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A template as it was found. `facts`: sizes as integers (None: unknown), shapes as tuples, names as text."""

    template: Template
    framework: str
    facts: Mapping[str, Any]
    message: str

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

    `frames`: outermost first, of the exception that was read. `user`: the innermost frame that is neither of a
    framework nor of an installed package, or else of the innermost package that is no framework; None where no frame
    is shown. `wrapped_by`: what stood around the message, outermost first: `keras`, `graph`, `dynamo`, `export`,
    `torchscript`, `xla`, `onnx`, `dataloader`, `distributed`, `lightning`.
    """

    reading: Reading
    error: str = ""
    frames: tuple[Frame, ...] = ()
    user: Frame | None = None
    wrapped_by: tuple[str, ...] = ()

    def runs(self, *words: str) -> bool:
        """Whether a frame's function, file or line of code has one of these words in it, in any case."""
        return any(
            word in part.lower()
            for frame in self.frames
            for part in (frame.function, frame.file, frame.source)
            for word in words
        )


@dataclass(frozen=True, slots=True)
class Suspect:
    """A probable cause. `weight`: how much speaks for it, 0 to 1; `because` says that in words.

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


@dataclass(frozen=True, slots=True)
class Told:
    """What can be said of an error from its text: the sentence, what the message means, and who is suspected.

    `code`: the code of the catalogue. `layer`, `type`: the layer that the text itself names, if it does.
    """

    code: str
    headline: str
    meaning: str
    suspects: tuple[Suspect, ...]
    layer: str | None = None
    type: str = ""
