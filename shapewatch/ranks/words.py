"""What a rank says of itself, for the others to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from shapewatch import codec
from shapewatch.adapters.collectives import Begun, Collective
from shapewatch.recording import Shape, Span

State = Literal["running", "failing", "failed", "left"]


@dataclass(frozen=True)
class Fall:
    """The exception that ended a rank's block. `code` and `headline` are of its first diagnosis, where it has one."""

    type: str
    message: str
    span: Span | None = None
    code: str = ""
    headline: str = ""


@dataclass(frozen=True)
class Word:
    """Where a rank is.

    state     it runs, has left its watched block, or failed in it; `failing`: and does not know yet why
    begun     how many operations the group of all ranks has had; None: not known
    at        the line of the program at which it is
    stuck     for how many seconds it has been at the same instruction
    others    the same of the other groups of which something was heard
    waits     the operation for whose end it waits, or in which it failed; None: in none that is known
    recent    the last collectives that it began, in order
    inputs    what the outermost model was given in the last pass
    answers   the last question that it had heard when it said this
    saved     the file that its recording is in; empty where there is none
    """

    rank: int
    state: State = "running"
    begun: Begun | None = None
    at: Span | None = None
    stuck: float = 0.0
    others: tuple[Begun, ...] = ()
    waits: Collective | None = None
    recent: tuple[Collective, ...] = ()
    inputs: tuple[Shape, ...] = ()
    fall: Fall | None = None
    answers: int = 0
    saved: str = ""

    def to_json(self) -> str:
        return json.dumps(codec.encode(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Word:
        word: Word = codec.decode(cls, json.loads(text))
        return word
