"""What shapewatch made of mutants: the nouns, the tables and the words in which they are reported.

Free of any framework: the benchmarks of PyTorch and of Keras report in the same terms.
"""

from __future__ import annotations

import dataclasses
import json
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from textwrap import indent
from typing import Any, Literal

from benchmarks.tables import table
from benchmarks.workers import Skipped, by_reason

Named = Literal["exact", "also", "no"]

FIXES_TRIED = 4
"""Fixes of a diagnosis whose claims are checked; later ones are ideas that few readers reach."""


@dataclass(frozen=True)
class Trial:
    """One fix on the real model: what was claimed, and what came of it. `result` is a shape or an error.

    `restores`: with it, every junction has the shape that it has in the healthy model; None where that was not seen.
    """

    title: str
    code: str
    edit: Mapping[str, Any]
    verified: str | bool | None
    claimed: str
    result: str
    true: bool
    false_claim: bool
    restores: bool | None = None


@dataclass(frozen=True)
class Outcome:
    """What shapewatch made of one mutant. `trouble` is empty where shapewatch itself behaved."""

    architecture: str
    mode: str
    held_out: bool
    kind: str
    layer: str
    also: tuple[str, ...]
    description: str
    error: str
    expected: str
    code: str = ""
    headline: str = ""
    cause: str | None = None
    cause_type: str = ""
    named: Named = "no"
    fixes: tuple[Trial, ...] = ()
    seconds: float = 0.0
    trouble: str = ""
    sees_junctions: bool = False

    @property
    def family(self) -> str:
        return self.architecture.split("/")[0]

    @property
    def is_named(self) -> bool:
        return self.named != "no"

    @property
    def first_true(self) -> bool:
        return bool(self.fixes) and self.fixes[0].true

    @property
    def first_restores(self) -> bool | None:
        """Whether the first fix gives every junction its healthy shape; None where junctions cannot be seen."""
        return bool(self.fixes) and self.fixes[0].restores is True if self.sees_junctions else None

    @property
    def any_true(self) -> bool:
        return any(trial.true for trial in self.fixes)

    @property
    def false_claim(self) -> bool:
        return any(trial.false_claim for trial in self.fixes)

    @property
    def right(self) -> bool:
        return self.is_named and self.first_true and not self.false_claim and not self.trouble


# The result, in tables and in words


SHARES: dict[str, Callable[[Outcome], bool | None]] = {
    "named": lambda o: o.is_named,
    "of them exactly": lambda o: o.named == "exact",
    "first fix true": lambda o: o.first_true,
    "junctions as before": lambda o: o.first_restores,
    "any fix true": lambda o: o.any_true,
}
"""The shares in a table of results, each of the outcomes for which it is known."""


def summary(outcomes: Sequence[Outcome], by: Callable[[Outcome], str], what: str) -> str:
    """A Markdown table with a line for each group, and one for all."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(by(outcome), []).append(outcome)
    seen = any(outcome.sees_junctions for outcome in outcomes)
    shares = [name for name in SHARES if seen or name != "junctions as before"]
    rows = [_row(title, group, shares) for title, group in [*sorted(groups.items()), ("all", outcomes)]]
    return table([what, "mutants", *shares, "false claims", "trouble", "median s", "slowest s"], rows)


def _row(title: str, outcomes: Sequence[Outcome], shares: Sequence[str]) -> list[str]:
    return [
        title,
        str(len(outcomes)),
        *(_share([SHARES[name](outcome) for outcome in outcomes]) for name in shares),
        str(sum(o.false_claim for o in outcomes)),
        str(sum(bool(o.trouble) for o in outcomes)),
        f"{median(o.seconds for o in outcomes):.2f}" if outcomes else "",
        f"{max(o.seconds for o in outcomes):.1f}" if outcomes else "",
    ]


def _share(holds: Sequence[bool | None]) -> str:
    known = [each for each in holds if each is not None]
    return f"{sum(known) / len(known):.0%}" if known else ""


def in_words(outcome: Outcome) -> str:
    """A mutant that was not answered rightly: what was expected, and what came."""
    also = f" (or {', '.join(outcome.also)})" if outcome.also else ""
    lines = [
        f"{outcome.architecture}  [{outcome.kind}, {outcome.mode}]",
        f"    broken    {outcome.description}",
        f"    raised    {outcome.error[:160]}",
        f"    expected  cause {outcome.layer}{also}, output {outcome.expected}",
    ]
    if outcome.trouble:
        lines.append(f"    trouble   {indent(outcome.trouble, ' ' * 14).strip()}")
    if outcome.code:
        mark = "right" if outcome.is_named else "WRONG"
        lines.append(f"    cause     {mark}: {outcome.cause or 'none'} ({outcome.cause_type})")
        lines.append(f"    said      {outcome.code} {outcome.headline}")
    for trial in [*outcome.fixes[:2], *(each for each in outcome.fixes[2:] if each.false_claim)]:
        mark = "FALSE CLAIM" if trial.false_claim else "right" if trial.true else "WRONG"
        lines.append(f"    fix       {mark}: {trial.title}  [verified: {trial.verified}]")
        lines.append(f"              claimed {trial.claimed}; real pass {trial.result[:120]}")
    if outcome.code and not outcome.fixes:
        lines.append("    fix       none")
    return "\n".join([*lines, f"    took      {outcome.seconds:.2f} s"])


FAULTS: dict[str, Callable[[Outcome], bool]] = {
    "trouble": lambda o: bool(o.trouble),
    "false claim": lambda o: o.false_claim,
    "first fix not true": lambda o: not o.first_true,
    "another cause, whose fix is true": lambda o: not o.is_named,
}
"""The ways to be wrong, worst first. The last one is often a real choice: widen this layer, or narrow that one."""


def failures(outcomes: Iterable[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """The dev split's outcomes that are not right, under the worst fault of each.

    Those of held-out architectures are counted and not told: who reads them tunes on them.
    """
    found: dict[str, list[Outcome]] = {fault: [] for fault in FAULTS}
    for outcome in sorted(outcomes, key=lambda o: (o.kind, o.architecture)):
        fault = next((name for name, holds in FAULTS.items() if holds(outcome)), None)
        if fault is not None and not outcome.held_out:
            found[fault].append(outcome)
    return [(fault, wrong) for fault, wrong in found.items() if wrong]


def as_markdown(outcomes: Sequence[Outcome], skipped: Sequence[Skipped], command: str, framework: str) -> str:
    """The page of results that goes into the documentation. `framework` is its name and version."""
    parts = [
        "# Mutation results",
        f"`{command}`, with {framework}, Python {platform.python_version()}, on the CPU.",
        "A mutant is a real architecture with one change after which its forward pass raises.",
        "`named`: the cause is the changed layer, or one that nothing in the model tells from it. "
        "`first fix true`: with it the real forward pass runs and returns the shapes of the healthy model. "
        "`false claims`: fixes called verified on the whole pass that do not keep it.",
        "Failures on held-out architectures are counted and not listed, so that no rule is tuned on them. "
        "How to run it: `benchmarks/README.md`.",
        "## By split\n\n" + summary(outcomes, lambda o: "held out" if o.held_out else "dev", "split"),
        "## By family\n\n" + summary(outcomes, lambda o: o.family, "family"),
        "## By kind of mutation\n\n" + summary(outcomes, lambda o: o.kind, "kind"),
    ]
    if skipped:
        rows = [[", ".join(names), why.splitlines()[-1][:120]] for why, names in by_reason(skipped).items()]
        parts.append("## Not run\n\n" + table(["architectures", "reason"], rows))
    for fault, wrong in failures(outcomes):
        lines = [
            [o.architecture, o.kind, o.description, o.cause or "none", o.fixes[0].title if o.fixes else "none"]
            for o in wrong
        ]
        header = ["architecture", "kind", "change", "cause given", "first fix"]
        parts.append(f"## Dev split, {fault} ({len(wrong)})\n\n" + table(header, lines))
    return "\n\n".join(parts) + "\n"


def as_json(outcomes: Sequence[Outcome], skipped: Sequence[Skipped], command: str, framework: str) -> str:
    data = {
        "command": command,
        "framework": framework,
        "python": platform.python_version(),
        "skipped": [dataclasses.asdict(each) for each in skipped],
        "outcomes": [dataclasses.asdict(each) | {"right": each.right} for each in outcomes],
    }
    return json.dumps(data, indent=1)


def print_result(outcomes: Sequence[Outcome], skipped: Sequence[Skipped]) -> None:
    for fault, wrong in reversed(failures(outcomes)):  # the worst last, where a terminal shows it
        print(f"=== {fault}: {len(wrong)}", end="\n\n")
        for outcome in wrong:
            print(in_words(outcome), end="\n\n")
    untold = sum(not o.right and o.held_out for o in outcomes)
    if untold:
        print(f"and {untold} of held-out architectures, which are not listed (--out has them)", end="\n\n")
    for reason, names in by_reason(skipped).items():
        print(f"skipped  {', '.join(names)}: {reason}")
    if outcomes:
        print(summary(outcomes, lambda o: o.kind, "kind"), end="\n\n")
        print(summary(outcomes, lambda o: o.family, "family"), end="\n\n")
        if len({o.mode for o in outcomes}) > 1:
            print(summary(outcomes, lambda o: o.mode, "mode"), end="\n\n")
        print(summary(outcomes, lambda o: "held out" if o.held_out else "dev", "split"))
