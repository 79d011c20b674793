"""How often shapewatch names the broken layer of a Keras model, and whether its first fix is true.

    python -m benchmarks.keras_mutation --only 'ResNet*' '*unet*' --per 4 --seed 0

Functional and Sequential models are broken in their configs, and rebuilt under `watch()`; subclassed models are broken
in the arguments of their layers and in their code, and called, called in a `tf.function` and fitted under
`watch(model)`. Of the first diagnosis:

    named    the cause is the layer that was broken, called by its path or by its Keras name (`exactly`); or another
             that is as right by construction: the junction or the norm behind a projection that was taken out, the
             twin of a layer (see `keras_handwritten.Network`), and the model's target where only the loss raises
    true     with the first fix in the config the model is built, or with it applied the model runs, and its output has
             the shape of the healthy model's; another input is no fix of a broken model
    junctions as before   and every junction has (known for models with a config only)
    false    a fix is called verified on the whole pass, and the real one fails or gives other shapes than it says
    trouble  shapewatch failed itself, changed the exception, or left no diagnosis

The exit status is 1 when there was a false claim.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from benchmarks import keras_code, keras_configs, keras_zoo
from benchmarks.faults import import_shapewatch, own_faults
from benchmarks.keras_errors import describe_error
from benchmarks.outcomes import FIXES_TRIED, Named, Outcome, Trial, as_json, as_markdown, print_result
from benchmarks.shapes import Shapes, agree, claimed_shapes, say, shapes_of
from benchmarks.workers import Lost, Send, Skipped, TimeLimitError, interrupt_once, run_each, time_limit


@dataclass(frozen=True)
class Options:
    per: int
    seed: int
    timeout: float = 60
    kind: str = ""
    explain: bool = False


@dataclass(frozen=True)
class Case:
    """A mutant ready to be run: `run` raises under `watch(target)`; `mend` tries a fix of the real thing."""

    target: Any
    run: Callable[[], Any]
    mend: Callable[[Any], tuple[Shapes, bool | None]]
    expected: Shapes
    spellings: frozenset[str]
    also: frozenset[str]


def break_one(name: str, send: Send, options: Options) -> None:
    """Break the architecture called `name` and send an `Outcome` for each mutant and way to run it."""
    with suppress(RuntimeError):  # TensorFlow runs already: in a test
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    architecture = keras_zoo.find(name)
    family = keras_configs if architecture.symbolic else keras_code
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of states that only a failed build has
        for mutant in family.mutants(architecture, options.per, options.seed):
            if options.kind in mutant.slip.description or options.kind == mutant.slip.kind:
                send(judge(mutant, architecture, options))


def judge(mutant: Any, architecture: keras_zoo.Architecture, options: Options) -> Outcome:
    """Run the mutant under watch and try what shapewatch says about it."""
    case = case_of(mutant)
    plain = Outcome(
        architecture=architecture.name,
        mode=mutant.way,
        held_out=architecture.held_out,
        kind=mutant.slip.kind,
        layer=mutant.slip.layer,
        also=tuple(sorted(case.also)),
        description=mutant.slip.description,
        error=mutant.error,
        expected=say(case.expected),
        sees_junctions=isinstance(mutant, keras_configs.Mutant),
    )
    started = time.perf_counter()
    try:
        with time_limit(options.timeout):
            outcome = _watched(plain, case, options)
    except TimeLimitError:
        outcome = dataclasses.replace(plain, trouble=f"no answer in {options.timeout:.0f} s")
    except Exception as error:  # shapewatch's own: the model's is caught where it is expected
        outcome = dataclasses.replace(plain, trouble=_last_frames(error))
    return outcome if outcome.seconds else dataclasses.replace(outcome, seconds=time.perf_counter() - started)


def case_of(mutant: keras_configs.Mutant | keras_code.Mutant) -> Case:
    if isinstance(mutant, keras_configs.Mutant):
        return _config_case(mutant)
    return _code_case(mutant)


def _config_case(mutant: keras_configs.Mutant) -> Case:
    def mend(fix: Any) -> tuple[Shapes, bool | None]:
        built = mutant.mended(fix.edit)
        junctions = mutant.healthy.junctions
        return built.output, all(built.junctions.get(name) == shapes for name, shapes in junctions.items())

    return Case(None, mutant.attempt, mend, mutant.healthy.output, mutant.spellings, mutant.also)


def _code_case(mutant: keras_code.Mutant) -> Case:
    model = mutant.made()
    example = mutant.architecture.example()

    def mend(fix: Any) -> tuple[Shapes, bool | None]:
        try:
            return shapes_of(_fixed(model, example, fix)), None
        except Exception:  # a model whose first call fails in a graph may be left with weights of no size
            return shapes_of(_fixed(mutant.made(), example, fix)), None

    also = mutant.slip.also
    if "compile_loss" in mutant.error:
        also |= {"", "input"}
    target = model if isinstance(model, keras.layers.Layer) else None
    run = partial(mutant.attempt, model)
    return Case(target, run, mend, mutant.expected, mutant.slip.spellings, also)


def _fixed(model: Any, example: Any, fix: Any) -> Any:
    if fix.edit.get("action") == "input":
        return model(with_edited_input(example, fix.edit))
    with fix.applied(model) as fixed:
        return fixed(example)


def with_edited_input(example: Any, edit: Mapping[str, Any]) -> Any:
    """The inputs with zeros of the shape that the edit asks for; unknown sizes stay as they are."""
    inputs = list(example) if isinstance(example, list) else [example]
    index = edit.get("index") or 0
    old = inputs[index]
    shape = [
        size if size is not None else (old.shape[axis] if axis < len(old.shape) else 1)
        for axis, size in enumerate(edit["shape"])
    ]
    inputs[index] = tf.zeros(shape, old.dtype)
    return inputs if isinstance(example, list) else inputs[0]


def _watched(plain: Outcome, case: Case, options: Options) -> Outcome:
    import shapewatch

    started = time.perf_counter()
    session = None
    trouble = "the watched pass did not raise"
    with own_faults() as faults:
        try:
            with shapewatch.watch(case.target) if case.target is not None else shapewatch.watch() as session:
                case.run()
        except Exception as error:
            same = describe_error(error) == plain.error
            trouble = "" if same else f"another exception left, not {plain.error[:200]}: {_last_frames(error)}"
        report = session.report if session is not None else None
        told = str(report)
    if report is None or trouble:
        return dataclasses.replace(plain, trouble="\n".join([trouble, *faults[-1:]]))
    if options.explain:
        print(f"\n{plain.architecture}  {plain.description}  [{plain.mode}]\n{told}", file=sys.stderr)
    seconds = time.perf_counter() - started
    if not report.diagnoses:
        return dataclasses.replace(plain, seconds=seconds, trouble=faults[-1] if faults else "no diagnosis")
    diagnosis = report.diagnoses[0]
    cause = diagnosis.cause
    return dataclasses.replace(
        plain,
        code=diagnosis.code,
        headline=diagnosis.headline,
        cause=cause.layer if cause else None,
        cause_type=cause.type if cause else "",
        named=named(case, cause),
        fixes=tuple(try_fix(fix, case) for fix in diagnosis.fixes[:FIXES_TRIED]),
        seconds=seconds,
        trouble=faults[-1] if faults else "",
    )


def named(case: Case, cause: Any) -> Named:
    """Whether the cause is the broken layer itself, or another answer that is as right by construction."""
    layer = (cause.layer if cause else None) or ""
    blamed = {layer, layer.replace("[", ".").replace("]", "").replace("'", "")}
    if blamed & case.spellings:
        return "exact"
    return "also" if blamed & case.also else "no"


def try_fix(fix: Any, case: Case) -> Trial:
    """Put one fix to the real test."""
    returned: Shapes | None = None
    restores: bool | None = None
    try:
        returned, restores = case.mend(fix)
        result = say(returned)
    except Exception as error:  # whatever comes of the fix is the result of the trial
        result = describe_error(error)
    beside_the_point = fix.edit.get("action") == "input" and "input" not in case.also
    claimed = claimed_shapes(fix.output_shape)
    kept = returned is not None and (claimed is None or agree(claimed, returned))
    return Trial(
        title=fix.title,
        code=fix.code,
        edit=json.loads(json.dumps(dict(fix.edit), default=str)),
        verified=fix.verified,
        claimed=say(claimed),
        result=result,
        true=returned is not None and agree(returned, case.expected) and not beside_the_point,
        false_claim=fix.verified == "forward" and not kept,
        restores=restores,
    )


def _last_frames(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)[-4:]).strip()[-1500:]


# The command


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog="python -m benchmarks.keras_mutation",
        description="Break Keras models, and see what shapewatch makes of it.",
        epilog="The exit status is 1 when a fix was called verified and is not.",
    )
    add = parse.add_argument
    add("--per", type=int, default=3, metavar="N", help="slips per architecture, each run in every way (%(default)s)")
    add("--seed", type=int, default=0, metavar="S")
    add("--only", nargs="+", default=[], metavar="NAME", help="architectures, by name or pattern; all without it")
    add(
        "--held-out", action="store_true", help="the architectures that no rule is tuned on, in the place of the others"
    )
    add("--all", action="store_true", help="those and the others")
    add("--kind", default="", metavar="TEXT", help="slips of this kind, or with this in their description")
    add("--explain", action="store_true", help="print shapewatch's report on each mutant")
    add("--jobs", type=int, default=1, choices=(1, 2), help="processes at once (%(default)s)")
    add("--timeout", type=float, default=60, metavar="SECONDS", help="for one mutant (%(default)s)")
    add("--out", type=Path, metavar="FILE", help="write every outcome as JSON")
    add("--markdown", type=Path, metavar="FILE", help="write the tables as a page")
    return parse


def outcomes_of(names: Sequence[str], options: Options, jobs: int) -> Iterator[Outcome | Skipped]:
    work = partial(break_one, options=options)
    for name, message in run_each(names, work, jobs, silence=4 * options.timeout + 120):
        yield Skipped(name, message.reason) if isinstance(message, Lost) else message


def row(outcome: Outcome) -> str:
    """One line, printed when the outcome is there. Of a held-out architecture, no more than whether it is right."""
    marks = [
        "named" if outcome.is_named else "NOT NAMED",
        "fix true" if outcome.first_true else "FIX NOT TRUE",
        *(["FALSE CLAIM"] if outcome.false_claim else []),
        *(["TROUBLE"] if outcome.trouble else []),
    ]
    head = f"{outcome.architecture}  {outcome.mode}  {', '.join(marks)}  {outcome.seconds:.1f} s"
    if outcome.held_out:
        return head
    return f"{head}  {outcome.kind}  {outcome.description}; said {outcome.code or 'nothing'} {outcome.cause or ''}"


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    try:
        chosen = keras_zoo.select(given.only, None if given.all else given.held_out)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if not chosen:
        print("nothing of this name is in this split; --all has every one", file=sys.stderr)
        return 2
    import_shapewatch("keras", "tensorflow")
    options = Options(given.per, given.seed, given.timeout, given.kind, given.explain)
    outcomes: list[Outcome] = []
    skipped: list[Skipped] = []
    random.Random(given.seed).shuffle(chosen)  # an interrupted run has then seen every family
    interrupt_once()
    try:
        for message in outcomes_of([a.name for a in chosen], options, given.jobs):
            if isinstance(message, Outcome):
                outcomes.append(message)
                print(row(message), flush=True)
            else:
                skipped.append(message)
    except KeyboardInterrupt:
        done = {o.architecture for o in outcomes} | {each.architecture for each in skipped}
        skipped += [Skipped(a.name, "interrupted before it") for a in chosen if a.name not in done]
    command, framework = command_of(given), f"Keras {keras.__version__} on TensorFlow {tf.__version__}"
    if given.out:
        given.out.write_text(as_json(outcomes, skipped, command, framework), encoding="utf-8")
    if given.markdown:
        given.markdown.write_text(as_markdown(outcomes, skipped, command, framework), encoding="utf-8")
    print()
    print_result(outcomes, skipped)
    return 1 if any(outcome.false_claim for outcome in outcomes) else 0


def command_of(given: argparse.Namespace) -> str:
    """The command that gives these results again, without where they were written."""
    only = f" --only {' '.join(given.only)}" if given.only else ""
    split = " --all" if given.all else " --held-out" if given.held_out else ""
    return f"python -m benchmarks.keras_mutation --per {given.per} --seed {given.seed}{split}{only}"


if __name__ == "__main__":
    sys.exit(main())
