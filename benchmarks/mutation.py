"""How often shapewatch names the broken layer, and whether its first fix is true, over mutants of the zoo.

    python -m benchmarks.mutation --models 'resnet*' --per-model 10 --split dev --out results.json

Each mutant's forward pass runs, and fails, under `shapewatch.watch(model)`. Of the first diagnosis:

    named    the cause is the layer that was broken, or one that nothing in the model tells from it
    true     with the first fix, the real forward pass runs and returns the shapes of the healthy model
    false    a fix is called verified on the whole pass, and the real pass fails or returns other shapes
    trouble  shapewatch failed itself, changed the exception, or left no diagnosis
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import platform
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from textwrap import indent
from typing import Any, Literal

import torch
from torch import nn

from benchmarks import zoo
from benchmarks.faults import load_shapewatch, own_faults
from benchmarks.mutations import Mutant, describe_error, mutants
from benchmarks.shapes import Shapes, agree, claimed_shapes, same_ranks, say, shapes_of
from benchmarks.tables import table
from benchmarks.workers import Lost, Send, Skipped, TimeLimitError, by_reason, interrupt_once, run_each, time_limit

Named = Literal["exact", "also", "no"]

FIXES_TRIED = 4
"""Fixes of a diagnosis whose claims are checked; later ones are ideas that few readers reach."""


@dataclass(frozen=True)
class Trial:
    """One fix on the real model: what was claimed, and what came of it. `result` is a shape or an error."""

    title: str
    code: str
    edit: Mapping[str, Any]
    verified: str | bool | None
    claimed: str
    result: str
    true: bool
    false_claim: bool


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
    def any_true(self) -> bool:
        return any(trial.true for trial in self.fixes)

    @property
    def false_claim(self) -> bool:
        return any(trial.false_claim for trial in self.fixes)

    @property
    def right(self) -> bool:
        return self.is_named and self.first_true and not self.false_claim and not self.trouble


@dataclass(frozen=True)
class Options:
    per_model: int
    seed: int
    mode: zoo.Mode
    timeout: float
    only: str
    explain: bool


def break_one(name: str, send: Send, options: Options) -> None:
    """Break the architecture called `name` and send an `Outcome` for each mutant, or why there are none."""
    torch.set_num_threads(1)
    architecture = zoo.find(name)
    try:
        model = architecture.built(options.mode)
        found = mutants(architecture, model, options.per_model, options.seed, options.mode)
        for mutant in found:
            if options.only in mutant.description or options.only == mutant.kind:
                send(judge(mutant, model, architecture, options))
    except zoo.UnavailableError as error:
        send(Skipped(name, str(error)))


def judge(mutant: Mutant, model: nn.Module, architecture: zoo.Architecture, options: Options) -> Outcome:
    """Run the mutant under watch and try what shapewatch says about it."""
    plain = Outcome(
        architecture=mutant.architecture,
        mode=mutant.mode,
        held_out=architecture.held_out,
        kind=mutant.kind,
        layer=mutant.layer,
        also=tuple(sorted(mutant.also)),
        description=mutant.description,
        error=mutant.error,
        expected=say(mutant.expected) if mutant.exact else f"{say(mutant.expected)} or other sizes",
    )
    with mutant.applied(model, architecture.example()) as inputs:
        started = time.perf_counter()
        try:
            with time_limit(options.timeout):
                outcome = _watched(plain, mutant, model, inputs, options)
        except TimeLimitError:
            outcome = dataclasses.replace(plain, trouble=f"no answer in {options.timeout:.0f} s")
        except Exception as error:  # shapewatch's own: the model's is caught where it is expected
            outcome = dataclasses.replace(plain, trouble=_last_frames(error))
    return outcome if outcome.seconds else dataclasses.replace(outcome, seconds=time.perf_counter() - started)


def _watched(plain: Outcome, mutant: Mutant, model: nn.Module, inputs: tuple[Any, ...], options: Options) -> Outcome:
    import shapewatch

    started = time.perf_counter()
    session = None
    trouble = "the watched pass did not raise"
    with own_faults() as faults:
        try:
            with shapewatch.watch(model) as session:
                model(*inputs)
        except Exception as error:
            same = describe_error(error) == mutant.error
            trouble = "" if same else f"another exception left: {_last_frames(error)}"
        report = session.report if session is not None else None
    if report is None or trouble:
        return dataclasses.replace(plain, trouble=trouble)
    if options.explain:
        print(f"\n{mutant.architecture}  {mutant.description}\n{report}", file=sys.stderr)
    seconds = time.perf_counter() - started
    if not report.diagnoses:
        return dataclasses.replace(plain, seconds=seconds, trouble=faults[-1] if faults else "no diagnosis")
    diagnosis = report.diagnoses[0]
    cause = diagnosis.cause
    fixes = tuple(try_fix(fix, mutant, model, inputs) for fix in diagnosis.fixes[:FIXES_TRIED])
    return dataclasses.replace(
        plain,
        code=diagnosis.code,
        headline=diagnosis.headline,
        cause=cause.layer if cause else None,
        cause_type=cause.type if cause else "",
        named=named(mutant, cause, fixes),
        fixes=fixes,
        seconds=seconds,
        trouble=faults[-1] if faults else "",
    )


def named(mutant: Mutant, cause: Any, fixes: Sequence[Trial]) -> Named:
    """Whether the cause is the broken layer itself, or another answer that is as good."""
    layer = cause.layer if cause else None
    blames_input = cause is not None and layer in (None, "", "input")
    changes_input = bool(fixes) and fixes[0].edit.get("action") == "input"
    blamed = {layer, "input"} if blames_input or changes_input else {layer}
    if mutant.layer in blamed:
        return "exact"
    return "also" if blamed & mutant.also else "no"


def try_fix(fix: Any, mutant: Mutant, model: nn.Module, inputs: tuple[Any, ...]) -> Trial:
    """Apply one fix to the real model or its input, and run the real forward pass."""
    returned: Shapes | None = None
    try:
        concerns_input = fix.edit.get("action") == "input"
        given = with_edited_input(inputs, fix.edit) if concerns_input else inputs
        with nullcontext(model) if concerns_input else fix.applied(model):
            returned = shapes_of(model(*given))
        result = say(returned)
    except Exception as error:  # whatever the fixed model raises is the result of the trial
        result = describe_error(error)
    fits = agree if mutant.exact else same_ranks
    claimed = claimed_shapes(fix.output_shape)
    kept = returned is not None and (claimed is None or agree(claimed, returned))
    return Trial(
        title=fix.title,
        code=fix.code,
        edit=json.loads(json.dumps(dict(fix.edit), default=str)),
        verified=fix.verified,
        claimed=say(claimed),
        result=result,
        true=returned is not None and fits(returned, mutant.expected),
        false_claim=fix.verified == "forward" and not kept,
    )


def with_edited_input(inputs: tuple[Any, ...], edit: Mapping[str, Any]) -> tuple[Any, ...]:
    """The inputs with a random tensor of the shape that the edit asks for; unknown sizes stay as they are."""
    index = edit.get("index") or 0
    old = inputs[index]
    shape = [
        size if size is not None else (old.shape[axis] if axis < old.dim() else 1)
        for axis, size in enumerate(edit["shape"])
    ]
    above = int(old.max()) + 1
    new = torch.randn(shape) if old.is_floating_point() else torch.randint(above, shape, dtype=old.dtype)
    return (*inputs[:index], new, *inputs[index + 1 :])


def _last_frames(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    return "".join(lines[-4:]).strip()


# The result, in tables and in words


def summary(outcomes: Sequence[Outcome], by: Callable[[Outcome], str], what: str) -> str:
    """A Markdown table with a line for each group, and one for all."""
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(by(outcome), []).append(outcome)
    rows = [_row(group, groups[group]) for group in sorted(groups)]
    header = [what, "mutants", "named", "of them exactly", "first fix true", "any fix true", "false claims"]
    return table([*header, "trouble", "median s", "slowest s"], [*rows, _row("all", outcomes)])


def _row(title: str, outcomes: Sequence[Outcome]) -> list[str]:
    count = len(outcomes)

    def share(number: int) -> str:
        return f"{number / count:.0%}" if count else ""

    return [
        title,
        str(count),
        share(sum(o.is_named for o in outcomes)),
        share(sum(o.named == "exact" for o in outcomes)),
        share(sum(o.first_true for o in outcomes)),
        share(sum(o.any_true for o in outcomes)),
        str(sum(o.false_claim for o in outcomes)),
        str(sum(bool(o.trouble) for o in outcomes)),
        f"{median(o.seconds for o in outcomes):.2f}" if count else "",
        f"{max(o.seconds for o in outcomes):.1f}" if count else "",
    ]


def in_words(outcome: Outcome) -> str:
    """A mutant that was not answered rightly: what was expected, and what came."""
    also = f" (or {', '.join(outcome.also)})" if outcome.also else ""
    lines = [
        f"{outcome.architecture}  [{outcome.kind}]",
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
    for trial in outcome.fixes[:2]:
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


def as_markdown(outcomes: Sequence[Outcome], skipped: Sequence[Skipped], command: str) -> str:
    """The page of results that goes into the documentation."""
    parts = [
        "# Mutation results",
        f"`{command}`, with torch {torch.__version__}, Python {platform.python_version()}, on the CPU.",
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


def as_json(outcomes: Sequence[Outcome], skipped: Sequence[Skipped], command: str) -> str:
    data = {
        "command": command,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "skipped": [dataclasses.asdict(each) for each in skipped],
        "outcomes": [dataclasses.asdict(each) | {"right": each.right} for each in outcomes],
    }
    return json.dumps(data, indent=1)


# The command


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog="python -m benchmarks.mutation",
        description="Break real architectures, and see what shapewatch makes of it.",
    )
    add = parse.add_argument
    add("--models", nargs="+", default=[], metavar="NAME", help="names or patterns; all without it")
    add("--split", choices=["dev", "held_out", "all"], default="dev")
    add("--per-model", type=int, default=8, metavar="N", help="mutants per architecture")
    add("--seed", type=int, default=0)
    add("--mode", choices=["eval", "train"], default="eval")
    add("--only", default="", metavar="TEXT", help="mutants of this kind, or with this in their description")
    add("--explain", action="store_true", help="print shapewatch's report on each mutant")
    add("--jobs", type=int, default=1)
    add("--timeout", type=float, default=30, metavar="SECONDS", help="for one mutant")
    add("--out", type=Path, metavar="FILE", help="write every outcome as JSON")
    add("--markdown", type=Path, metavar="FILE", help="write the tables as a page")
    return parse


def outcomes_of(names: Sequence[str], options: Options, jobs: int) -> Iterator[Outcome | Skipped]:
    """Break each of the architectures, and tell of progress on standard error."""

    work = partial(break_one, options=options)
    started = time.perf_counter()
    for number, (name, message) in enumerate(run_each(names, work, jobs, silence=2 * options.timeout + 60)):
        if isinstance(message, Lost):
            yield Skipped(name, message.reason)
            continue
        if number % 25 == 0:
            print(f"{time.perf_counter() - started:6.0f} s  {number:5}  {name}", file=sys.stderr, flush=True)
        yield message


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        chosen = zoo.select(given.models, given.split)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if not chosen:
        print(f"nothing of this name is in the split {given.split}; --split all has every one", file=sys.stderr)
        return 2
    load_shapewatch()
    options = Options(given.per_model, given.seed, given.mode, given.timeout, given.only, given.explain)
    outcomes: list[Outcome] = []
    skipped: list[Skipped] = []
    random.Random(given.seed).shuffle(chosen)  # an interrupted run has then seen every family
    interrupt_once()
    try:
        for message in outcomes_of([a.name for a in chosen], options, given.jobs):
            if isinstance(message, Outcome):
                outcomes.append(message)
            else:
                skipped.append(message)
    except KeyboardInterrupt:
        done = {o.architecture for o in outcomes} | {each.architecture for each in skipped}
        skipped += [Skipped(a.name, "interrupted before it") for a in chosen if a.name not in done]
    command = command_of(given)
    if given.out:
        given.out.write_text(as_json(outcomes, skipped, command), encoding="utf-8")
    if given.markdown:
        given.markdown.write_text(as_markdown(outcomes, skipped, command), encoding="utf-8")
    print_result(outcomes, skipped)
    return 0


def command_of(given: argparse.Namespace) -> str:
    """The command that gives these results again, without where they were written."""
    models = f" --models {' '.join(given.models)}" if given.models else ""
    chosen = f"--split {given.split} --per-model {given.per_model} --seed {given.seed} --mode {given.mode}"
    return f"python -m benchmarks.mutation {chosen}{models}"


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
        print(summary(outcomes, lambda o: "held out" if o.held_out else "dev", "split"))


if __name__ == "__main__":
    sys.exit(main())
