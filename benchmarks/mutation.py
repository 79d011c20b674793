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
import random
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from benchmarks import zoo
from benchmarks.faults import load_shapewatch, own_faults
from benchmarks.mutations import Mutant, describe_error, mutants
from benchmarks.outcomes import FIXES_TRIED, Named, Outcome, Trial, as_json, as_markdown, print_result
from benchmarks.shapes import Shapes, agree, claimed_shapes, same_ranks, say, shapes_of
from benchmarks.workers import Lost, Send, Skipped, TimeLimitError, interrupt_once, run_each, time_limit


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
    command, framework = command_of(given), f"torch {torch.__version__}"
    if given.out:
        given.out.write_text(as_json(outcomes, skipped, command, framework), encoding="utf-8")
    if given.markdown:
        given.markdown.write_text(as_markdown(outcomes, skipped, command, framework), encoding="utf-8")
    print_result(outcomes, skipped)
    return 0


def command_of(given: argparse.Namespace) -> str:
    """The command that gives these results again, without where they were written."""
    models = f" --models {' '.join(given.models)}" if given.models else ""
    chosen = f"--split {given.split} --per-model {given.per_model} --seed {given.seed} --mode {given.mode}"
    return f"python -m benchmarks.mutation {chosen}{models}"


if __name__ == "__main__":
    sys.exit(main())
