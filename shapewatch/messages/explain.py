"""From a text, or an exception, to a diagnosis. Nothing is run, no framework is asked: the words are all there is."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace

from shapewatch.messages.faults import tell
from shapewatch.messages.log import Heard, heard
from shapewatch.messages.nouns import Frame, Pasted, Told
from shapewatch.recording import Recording, Span
from shapewatch.report import Cause, Diagnosis, Fix, Report, Suspect
from shapewatch.rules import RULES

NAMED_FROM, LEADS_BY = 0.75, 0.2
"""What the first suspect has to weigh, and by how much it has to outweigh the second, to be named as the cause."""

FROM_TEXT = "This comes from the text alone: nothing was run."

POSSIBLE = "The causes are possible ones, the likeliest first."
OPEN = "The causes are possible ones; nothing in the text singles one of them out."
OPEN_BELOW = 0.45
"""Where even the first suspect weighs less, the order says little."""

FROM_MESSAGE = "This comes from the error's message alone: what was recorded of the pass tells no more."

UNNAMED = "shape-refused"
"""What has no code: a message that speaks of a wrong shape and does not tell in what it is wrong."""

UNCODED = "SW900"
"""The code that this has in a pass that was watched, where every diagnosis has one."""

WHY_NOT_TRIED = "only the text is known, there is nothing to run again"


def explain_text(pieces: Iterable[str]) -> Report | None:
    """The report of the last shape error that a text tells of; None where it tells of none. The text may come in
    pieces, and be of any length."""
    told = heard(pieces)
    if told is None:
        return None
    recording = Recording(told.error.reading.framework)
    return Report(recording, diagnoses=(_diagnosis(told, FROM_TEXT),))


def explain_exception(error: BaseException) -> Report | None:
    """The report of an exception, from its message, its frames and those of the exceptions it came from; None where it
    is of no shape error."""
    return explain_text(["".join(_as_python_prints(error))])


def _as_python_prints(error: BaseException) -> Iterable[str]:
    """Notes are left out: what shapewatch itself has said of the exception is one. Keras raises `from None` what it
    has reworded, so what was hidden that way is shown after all."""
    shown = traceback.TracebackException.from_exception(error)
    chain = {id(shown): shown}
    left = [shown]
    while left:
        each = left.pop()
        each.__notes__ = None
        each.__suppress_context__ = each.__cause__ is not None
        for other in (each.__cause__, each.__context__):
            if other is not None and id(other) not in chain:
                chain[id(other)] = other
                left.append(other)
    return shown.format()


def explain_message(message: str, error: str, location: Span | None, layer: str | None) -> Diagnosis | None:
    """The diagnosis of a failure that was watched and that no rule could tell of."""
    told = heard([f"{error}: {message}"])
    if told is None:
        return None
    diagnosis = _diagnosis(told, FROM_MESSAGE)
    if not diagnosis.code:
        diagnosis = replace(diagnosis, code=UNCODED, name=_names()[UNCODED])
    return replace(diagnosis, location=location or diagnosis.location, layer=layer or diagnosis.layer)


# Wording


def _diagnosis(said: Heard, rests_on: str) -> Diagnosis:
    error = said.error
    told = tell(error)
    suspects = told.suspects
    location = None if error.user is None else _span(error.user)
    return Diagnosis(
        code=told.code,
        name=_names().get(told.code, error.reading.fault) if told.code else UNNAMED,
        severity="error",
        headline=told.headline,
        explanation="\n".join([_line(told.meaning), *_numbered(suspects), _note(rests_on, suspects, said)]),
        cause=_cause(told, error, suspects, location),
        location=location,
        fixes=tuple(_fix(suspect, error.reading.framework) for suspect in suspects),
        layer=told.layer,
        suspects=suspects,
    )


def _names() -> dict[str, str]:
    return {rule.code: rule.name for rule in RULES}


def _span(frame: Frame) -> Span:
    return Span(frame.file, frame.line, frame.source or None, frame.function)


def _numbered(suspects: Sequence[Suspect]) -> list[str]:
    """A line a suspect: what it is, why it is thought of, what would show it, what to change."""
    lines = []
    for number, suspect in enumerate(suspects, start=1):
        parts = [f"{number}. {_sentence(f'{suspect.cause}: {suspect.because}')}"]
        parts += [f"Look: {_sentence(suspect.look, False)}"] if suspect.look else []
        parts += [f"Change: {_sentence(suspect.change, False)}"] if suspect.change else []
        lines.append(_line(" ".join(parts)))
    return lines


def _note(rests_on: str, suspects: Sequence[Suspect], said: Heard) -> str:
    """What the explanation rests on, how far the causes go, and how much else the text tells of."""
    parts, others = [rests_on], said.others
    if said.error.is_retyped:
        parts.append(f"No framework has quite these words; they were read as `{said.error.reading.message}`.")
    if suspects:
        parts.append(POSSIBLE if suspects[0].weight >= OPEN_BELOW else OPEN)
    if others:
        more = "another shape error" if others == 1 else f"{others} other shape errors"
        parts.append(f"The text tells of {more}; this is the last one.")
    return " ".join(parts)


def _sentence(words: str, capital: bool = True) -> str:
    words = words.strip()
    if capital:
        words = words[:1].upper() + words[1:]
    return words if words.endswith((".", "?", "!")) else f"{words}."


def _line(words: str) -> str:
    return " ".join(words.split())


def _cause(told: Told, error: Pasted, suspects: Sequence[Suspect], location: Span | None) -> Cause | None:
    """The first suspect, where much speaks for it and it clearly leads."""
    first, second = [*(suspect.weight for suspect in suspects), 0.0, 0.0][:2]
    if first < NAMED_FROM or round(first - second, 3) < LEADS_BY:
        return None
    kind = told.type or str(error.reading.facts.get("op") or error.reading.fault)
    return Cause(told.layer, kind, location, suspects[0].cause)


def _fix(suspect: Suspect, framework: str) -> Fix:
    return Fix(
        title=f"{suspect.cause}: {suspect.change}",
        code=suspect.code,
        edit={},
        changes=(),
        framework=framework,
        verified=None,
        why_not=WHY_NOT_TRIED,
        evidence=(suspect.because,),
    )
