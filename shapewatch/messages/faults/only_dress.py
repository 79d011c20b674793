"""A message that says that a shape is wrong, and too little to say more. It is told plainly; nothing is guessed."""

from __future__ import annotations

from shapewatch.messages.faults import facts
from shapewatch.messages.faults.wording import shaped
from shapewatch.messages.nouns import Pasted, Told


def only_dress(pasted: Pasted) -> Told:
    given = facts.shape(pasted, "input", "left")
    subject = facts.word(pasted, "op", "layer", "layer_type")
    of = f" {shaped(given)}" if given is not None else ""
    headline = f"{subject} refuses the shape of what it is given{of}" if subject else "a shape does not fit"
    said = " ".join(pasted.reading.message.split())[:300]
    meaning = (
        f"The message says: {said}. That is all that the text tells; print the shapes of what enters this line, and "
        "compare them with what it asks for."
    )
    return Told("", headline, meaning, (), facts.word(pasted, "layer") or None)
