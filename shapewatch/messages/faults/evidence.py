"""What speaks for a cause, how much, and how the causes of an error are put in order.

Cause      what can be wrong, in words: the same words wherever it is met
Evidence   that something speaks for it in this text
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shapewatch.messages.nouns import Pasted, Suspect, Told

# How much speaks for a cause. A text alone never proves one, so there is no 1.
SAID = 0.85
"""The message says it in words, or no other cause fits its numbers."""
NUMBERS = 0.7
"""The numbers show a pattern that chance seldom makes."""
FITS = 0.5
"""The numbers or the frames fit it; they fit others too."""
COMMON = 0.35
"""No number speaks for it or against it: it is a common cause of this error."""
RARE = 0.2

MOST = 4
"""How many causes are told: who gets more reads none."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What can be wrong, what to change, where to look. `code`: what to write, by framework.

    `{names}` in its texts are sizes that come with the evidence.
    """

    cause: str
    change: str
    look: str = ""
    code: Mapping[str, str] = field(default_factory=dict, hash=False)

    def since(self, because: str, weight: float, **sizes: Any) -> Evidence:
        return Evidence(self, because, weight, sizes)


@dataclass(frozen=True, slots=True)
class Evidence:
    """That something speaks for a cause."""

    cause: Cause
    because: str
    weight: float
    sizes: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def suspect(self, framework: str) -> Suspect:
        known = {name: "?" if value is None else value for name, value in self.sizes.items()}

        def said(text: str) -> str:
            return text.format(**known) if known else text

        cause = self.cause
        code = said(cause.code.get(framework, ""))
        return Suspect(said(cause.cause), self.because, said(cause.change), self.weight, said(cause.look), code)


def told(
    pasted: Pasted,
    code: str,
    headline: str,
    meaning: str,
    evidence: Iterable[Evidence],
    layer: str = "",
    type: str = "",
) -> Told:
    """The causes for which something speaks, the heaviest first; each of them once."""
    heaviest: dict[Cause, Evidence] = {}
    for each in evidence:
        known = heaviest.get(each.cause)
        if known is None or each.weight > known.weight:
            heaviest[each.cause] = each
    ranked = sorted(heaviest.values(), key=lambda each: -each.weight)[:MOST]
    suspects = tuple(each.suspect(pasted.reading.framework) for each in ranked)
    return Told(code, headline, " ".join(meaning.split()), suspects, layer or None, type)
