"""What a rule is, what it is given, and what it gives."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from shapewatch.demand import Want, settable
from shapewatch.edits import Edit, Set
from shapewatch.flow.junctions import Graph, Junction, junction_at
from shapewatch.flow.layout import Layout, layout_of
from shapewatch.flow.lineage import Source
from shapewatch.recording import Call, Layer, Recording, Shape, Size, spoken
from shapewatch.report import Severity

if TYPE_CHECKING:
    from shapewatch.messages.nouns import Reading

EVERY = frozenset[str]()
"""As the kinds of a rule: it looks at calls of every kind."""


@dataclass(frozen=True)
class Case:
    """A call that failed, or one that ran and is to be judged, with everything that is known around it."""

    graph: Graph
    call: Call
    message: str = ""
    error: str = ""

    @property
    def recording(self) -> Recording:
        return self.graph.recording

    @property
    def layer(self) -> Layer | None:
        """The layer that was called; None for an operation in somebody's forward."""
        return self.recording.layer_at.get(self.call.layer) if self.call.is_layer else None

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.graph.facts(self.call)

    @property
    def shapes(self) -> list[Shape]:
        return [self.recording.shape(value) for value in self.call.operands]

    @property
    def name(self) -> str:
        """How to speak of the call: `layer2.0.conv1`, or `add in layer2.0`."""
        if self.call.is_layer:
            return spoken(self.call.layer) or self.call.name
        return self.call.name if self.call.parent is None else f"{self.call.name} in {self.where}"

    @property
    def where(self) -> str:
        """The layer in which the call stands, as a subject: its path, the outermost model's class, or the program. A
        layer made for a meeting of branches stands for itself."""
        if self.call.parent is None and not self.call.is_layer:
            return "the program"
        return spoken(self.call.layer) or self.recording.root or "the model"

    def called(self, value: int, otherwise: str) -> str:
        """What the program calls a value, where it has a name for it."""
        return self.recording.values[value].name or otherwise

    def input_at(self, value: int) -> int | None:
        """Which input of the model a value is. One that came from nowhere and is as the only input is that one: what
        Keras builds an undeclared model with."""
        recording = self.recording
        if value in recording.inputs:
            return recording.inputs.index(value)
        given = [recording.shape(number) for number in recording.inputs]
        unmade = recording.values[value].origin == "input" and value not in self.graph.producer
        return 0 if unmade and given == [recording.shape(value)] else None

    @property
    def layout(self) -> Layout | None:
        """How the images are laid out that the call works on, as its own facts tell."""
        return layout_of(self.facts, self.call.name)

    @cached_property
    def junction(self) -> Junction | None:
        return junction_at(self.graph, self.call)

    def said(self, fault: str) -> Mapping[str, Any]:
        """What the error's own words tell of a fault, by `messages`; empty where they are not about that one."""
        return next((reading.facts for reading in self.readings if reading.fault == fault), {})

    def tells(self, fault: str) -> bool:
        """Whether the error's own words are about a fault, with or without sizes."""
        return any(reading.fault == fault for reading in self.readings)

    @cached_property
    def readings(self) -> tuple[Reading, ...]:
        """What is understood of the error's text."""
        from shapewatch.messages.tables import found  # late: what is made of texts alone is named by the rules

        return found(self.message) if self.message else ()

    def set(self, argument: str, value: Any) -> Set:
        """An edit of the layer that was called."""
        return Set(self.call.layer, argument, value, self.facts.get(argument))

    def sets(self, **values: Any) -> tuple[tuple[Edit, ...], ...]:
        """One bundle of edits of the layer that was called: of those of these arguments that can be set."""
        edits = tuple(self.set(name, value) for name, value in values.items() if settable(self.facts, name))
        return (edits,) if edits else ()


@dataclass(frozen=True)
class Finding:
    """What a rule found: the words, and in arithmetic what would have made the call accept.

    `own` are edits of the call itself, each a bundle that belongs together; `wants` are demands on its operands.
    """

    headline: str
    explanation: str
    own: tuple[tuple[Edit, ...], ...] = ()
    wants: tuple[Want, ...] = ()
    own_doubt: float = 0.0
    """How much speaks against the call itself being wrong: its settings are explained by what stands before it."""
    code: str = ""
    name: str = ""
    severity: Severity = "error"
    needs_proof: bool = False
    """Said only if a change is found that ends it: the error alone does not tell that it is one of shapes."""
    by_chance: bool = False
    """Of a warning: the sizes seen may be equal by chance. Said only if it holds with another size too."""
    varied: Source | None = None
    """The axis of an input of which another size is tried; None for the batch."""


Check = Callable[[Case], Finding | None]


@dataclass(frozen=True)
class Rule:
    """A code, its name, the kinds of calls it looks at, its page, and its check."""

    code: str
    name: str
    kinds: frozenset[str]
    severity: Severity
    page: str
    check: Check


def rule(code: str, name: str, kinds: frozenset[str], severity: Severity = "error") -> Callable[[Check], Rule]:
    """Make a rule of a check; its page is the docstring of the module it stands in."""

    def make(check: Check) -> Rule:
        module = inspect.getmodule(check)
        return Rule(code, name, kinds, severity, inspect.cleandoc((module and module.__doc__) or ""), check)

    return make


WORDS = frozenset({"words"})
"""As the kinds of a rule: no call is of it. What went wrong happened where no tensor met another, so it is the error's
words that tell, by `messages`."""


def told_by_words(code: str, name: str) -> Rule:
    """A code that only an error's words tell of. Its page is the docstring of the module that asks for it."""
    module = inspect.getmodule(inspect.stack()[1].frame)

    def check(_: Case) -> None:
        return None

    check.__module__ = module.__name__ if module else ""
    return Rule(code, name, WORDS, "error", inspect.cleandoc((module and module.__doc__) or ""), check)


def plural(count: Size, noun: str) -> str:
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def number(count: Size) -> str:
    """A size in a sentence; `?` where it is not known."""
    return "?" if count is None else str(count)


def counted(count: int) -> str:
    """`two`, `three`; in figures from thirteen on."""
    words = "no one two three four five six seven eight nine ten eleven twelve".split()
    return words[count] if count < len(words) else str(count)


def listed(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
