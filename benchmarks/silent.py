"""How often shapewatch warns of a fault that raises nothing, over variants of the zoo; and that it warns of no other.

    python -m benchmarks.silent --models 'handwritten/*' --per-model 6
    python -m benchmarks.silent --healthy --models 'timm/*'

A variant is a healthy architecture with one slip in the source of its forward, in one setting of a layer, or in the
line that works out its loss. Kept are those with which the pass runs to its end and gives other numbers than without.
With `--healthy` nothing is broken: every architecture runs with batches of 1, 2 and 3, in both modes, and in a training
step with the usual losses; every warning is a false alarm.
"""

from __future__ import annotations

import argparse
import ast
import copy
import dataclasses
import inspect
import json
import random
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FunctionType
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F  # noqa: N812 - the field's name for it
from torch import Tensor, nn

from benchmarks import zoo
from benchmarks.faults import load_shapewatch, own_faults
from benchmarks.healthy import same_tensors, tensors_in
from benchmarks.shapes import say, shapes_of
from benchmarks.tables import table
from benchmarks.workers import Lost, Send, Skipped, by_reason, interrupt_once, run_each
from shapewatch.source import is_foreign

EXPECTED: dict[str, frozenset[str]] = {
    "unsqueeze left out": frozenset({"SW291", "SW292", "SW791", "SW891"}),
    "keepdim left out": frozenset({"SW291", "SW292", "SW791", "SW891"}),
    "concat along the batch": frozenset({"SW491"}),
    "concat beside the channels": frozenset({"SW491"}),
    "reshape for permute": frozenset({"SW392"}),
    "permute left out": frozenset({"SW392", "SW391"}),
    "softmax over the batch": frozenset({"SW191"}),
    "batch_first turned": frozenset({"SW691"}),
    "branch of one channel": frozenset({"SW291"}),
    "gate of one channel": frozenset({"SW292"}),
    "items torn by a view": frozenset({"SW391"}),
    "loss of pairs": frozenset({"SW891"}),
}
"""Kinds of slips, and the codes that speak of them."""


@dataclass(frozen=True)
class Variant:
    """A slip: `applied` puts it into a model for the length of a block; `loss`, if there is one, takes the output."""

    kind: str
    place: str
    applied: Callable[[nn.Module], Any]
    loss: Callable[[Tensor, Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Verdict:
    """What shapewatch said of a variant, or of a healthy run (`kind` is then how it was run)."""

    architecture: str
    held_out: bool
    kind: str
    place: str
    batch: int
    codes: tuple[str, ...]
    said: tuple[str, ...]
    faults: tuple[str, ...] = ()

    @property
    def warned(self) -> bool:
        return bool(self.codes)

    @property
    def rightly(self) -> bool:
        return bool(EXPECTED.get(self.kind, frozenset()) & set(self.codes))


# Slips in the source


class Slips(ast.NodeTransformer):
    """Counts the places where a slip can be made and, of those, makes the one whose number is given."""

    def __init__(self, which: int | None = None) -> None:
        self.which = which
        self.found: list[tuple[str, int]] = []

    def _slip(self, node: Any, kind: str, changed: Callable[[], Any]) -> Any:
        self.found.append((kind, node.lineno))
        return ast.copy_location(changed(), node) if self.which == len(self.found) - 1 else node

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        method = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") not in ("torch", "F")
        made: Any = node
        if name == "unsqueeze" and method:
            made = self._slip(made, "unsqueeze left out", lambda: node.func.value)  # type: ignore[attr-defined]
        if name in ("permute", "transpose") and method:
            made = self._slip(
                made, "reshape for permute", lambda: _call("_as_reshape", [node.func.value, *node.args], name)
            )  # type: ignore[attr-defined]
        if name in ("view", "reshape", "flatten") and method:
            inner = _through(node.func.value)  # type: ignore[attr-defined]
            if inner is not None:

                def left_out() -> ast.AST:
                    return ast.Call(
                        ast.Attribute(inner, "flatten" if name == "flatten" else "reshape", ast.Load()),
                        node.args,
                        node.keywords,
                    )

                made = self._slip(made, "permute left out", left_out)
        keep = next((word for word in node.keywords if word.arg in ("keepdim", "keepdims")), None)
        if keep is not None and getattr(keep.value, "value", False) is True:
            made = self._slip(
                made, "keepdim left out", lambda: _with(node, [w for w in node.keywords if w is not keep])
            )
        if name in ("cat", "concat") and not method:
            for kind, axis in (("concat along the batch", 0), ("concat beside the channels", 2)):
                words = [w for w in node.keywords if w.arg not in ("dim", "axis")]
                changed = [*words, ast.keyword("dim", ast.Constant(axis))]
                made = self._slip(made, kind, lambda changed=changed: ast.Call(node.func, node.args[:1], changed))
        if name in ("softmax", "log_softmax"):
            words = [w for w in node.keywords if w.arg != "dim"]
            args = node.args[: 0 if method else 1]
            made = self._slip(
                made,
                "softmax over the batch",
                lambda: ast.Call(node.func, args, [*words, ast.keyword("dim", ast.Constant(0))]),
            )
        return made

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        kept = [item for item in items if not (isinstance(item, ast.Constant) and item.value is None)]
        if len(kept) == len(items) or not isinstance(node.ctx, ast.Load):
            return node
        without = ast.Tuple(kept or [ast.Constant(...)], ast.Load())
        return self._slip(node, "unsqueeze left out", lambda: ast.Subscript(node.value, without, ast.Load()))


def _call(function: str, args: list[Any], *words: str) -> ast.Call:
    return ast.Call(ast.Name(function, ast.Load()), [ast.Constant(word) for word in words] + args, [])


def _with(node: ast.Call, keywords: list[ast.keyword]) -> ast.Call:
    return ast.Call(node.func, node.args, keywords)


def _through(node: ast.AST) -> Any:
    """What `x.permute(…)` or `x.transpose(…).contiguous()` was called on; None for another expression."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr == "contiguous":
            return _through(node.func.value)
        if node.func.attr in ("permute", "transpose"):
            return node.func.value
    return None


def _as_reshape(name: str, x: Tensor, *order: Any) -> Tensor:
    """A reshape to the sizes that the permutation would give."""
    return x.reshape(getattr(x, name)(*order).shape)


def source_slips(model: nn.Module) -> Iterator[Variant]:
    """One slip in the source of a method of one class of the model's, or in a function that such a method calls."""
    seen: set[Any] = set()
    for cls in dict.fromkeys(type(module) for module in model.modules()):
        own: list[tuple[Any, str, Any]] = [
            (cls, name, member)
            for name, member in vars(cls).items()
            if isinstance(member, FunctionType) and not name.startswith("__")
        ]
        for _, _, member in list(own):
            for name in member.__code__.co_names:
                helper = member.__globals__.get(name)
                if isinstance(helper, FunctionType) and helper.__module__ == cls.__module__:
                    own.append((sys.modules[cls.__module__], name, helper))
        for owner, name, function in own:
            if function in seen or is_foreign(function.__code__.co_filename) or function.__closure__:
                continue
            seen.add(function)
            yield from _slips_in(owner, name, function)


def _slips_in(owner: Any, name: str, function: FunctionType) -> Iterator[Variant]:
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, SyntaxError):
        return
    slips = Slips()
    slips.visit(copy.deepcopy(tree))
    for which, (kind, line) in enumerate(slips.found):
        made = _compiled(tree, which, function, first)
        if made is not None:
            place = f"{Path(function.__code__.co_filename).name}:{first + line - 1} {function.__qualname__}"
            yield Variant(kind, place, lambda _, owner=owner, name=name, made=made: patch.object(owner, name, made))


def _compiled(tree: ast.Module, which: int, function: FunctionType, first: int) -> FunctionType | None:
    changed = Slips(which).visit(copy.deepcopy(tree))
    definition = changed.body[0]
    if not isinstance(definition, ast.FunctionDef):
        return None
    definition.decorator_list = []
    ast.fix_missing_locations(changed)
    ast.increment_lineno(changed, first - 1)
    names = dict(function.__globals__, _as_reshape=_as_reshape)
    try:
        exec(compile(changed, function.__code__.co_filename, "exec"), names)
    except (SyntaxError, NameError, ValueError):
        return None
    made = names[definition.name]
    return made if isinstance(made, FunctionType) else None


# Slips in a layer


def layer_slips(model: nn.Module, inputs: tuple[Any, ...]) -> Iterator[Variant]:
    """Settings of layers that are another one's, as the junctions and calls of a pass show them."""
    import shapewatch

    for path, module in model.named_modules():
        if isinstance(module, nn.RNNBase | nn.MultiheadAttention):
            turned = not module.batch_first
            yield Variant(
                "batch_first turned",
                path,
                lambda m, p=path, t=turned: patch.object(m.get_submodule(p), "batch_first", t),
            )
    with torch.no_grad(), shapewatch.watch(model) as session:
        model(*inputs)
    report = session.report
    for junction in report.junctions:
        if junction.status != "ok" or junction.kind not in ("add", "gate"):
            continue
        for branch in junction.branches:
            steps = [step for step in branch.path if step.layer is not None]
            maker = next((step for step in reversed(steps) if step.kind in ("conv", "linear")), None)
            if maker is None:
                continue
            after = steps[steps.index(maker) + 1 :]
            if any(step.kind not in ("norm", "activation", "squash", "dropout", "identity") for step in after):
                continue
            kind = "branch of one channel" if junction.kind == "add" else "gate of one channel"
            norms = tuple(step.layer for step in after if step.kind == "norm")
            if maker.kind == "linear" and junction.kind == "add":
                continue
            yield Variant(kind, maker.layer or "", partial(_narrowed, path=maker.layer, norms=norms))
    yield from _flattening(report, model)


@contextmanager
def _narrowed(model: nn.Module, path: str, norms: tuple[str, ...]) -> Iterator[None]:
    """A layer with one output, and the norms behind it for one channel."""
    old = model.get_submodule(path)
    torch.manual_seed(3)
    if isinstance(old, nn.Linear):
        new: nn.Module = nn.Linear(old.in_features, 1, old.bias is not None)
    else:
        assert isinstance(old, nn.modules.conv._ConvNd)
        new = type(old)(  # type: ignore[call-arg]
            old.in_channels,
            1,
            old.kernel_size,
            old.stride,
            old.padding,
            old.dilation,
            1,
            old.bias is not None,  # type: ignore[arg-type]
        )
    with ExitStack() as stack:
        stack.enter_context(_put(model, path, new))
        for norm in norms:
            was = model.get_submodule(norm)
            if not isinstance(was, nn.modules.batchnorm._BatchNorm):
                raise ValueError("only a batch norm is narrowed")
            narrow = nn.BatchNorm1d(1) if isinstance(was, nn.BatchNorm1d) else nn.BatchNorm2d(1)
            stack.enter_context(_put(model, norm, narrow))
        yield


@contextmanager
def _put(model: nn.Module, path: str, layer: nn.Module) -> Iterator[None]:
    parent, name = model.get_submodule(path.rpartition(".")[0]), path.rpartition(".")[2]
    old = model.get_submodule(path)
    setattr(parent, name, layer.train(model.training))
    try:
        yield
    finally:
        setattr(parent, name, old)


class Folded(nn.Module):
    """`fc(x.view(-1, width))`, with a width that is not the item's."""

    def __init__(self, width: int, outside: int) -> None:
        super().__init__()
        self.width = width
        self.fc = nn.Linear(width, outside)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(x.view(-1, self.width))


def _flattening(report: Any, model: nn.Module) -> Iterator[Variant]:
    """A linear layer behind a flattened map, made for a map of another size."""
    recording = report.recording
    for call in report.calls:
        if call.kind not in ("flatten", "reshape") or not call.operands or not call.results:
            continue
        before, after = recording.shape(call.operands[0]), recording.shape(call.results[0])
        fed = next(
            (c for c in report.calls if c.is_layer and c.kind == "linear" and c.operands[:1] == call.results), None
        )
        if fed is None or len(before) != 4 or len(after) != 2 or before[2] * before[3] == 1:
            continue
        channels, height, width = before[1:]
        for wrong in sorted({channels * height, channels * (height // 2) * (width // 2), height * width}):
            if wrong and wrong != after[1] and (before[0] * after[1]) % wrong == 0:
                out = model.get_submodule(fed.layer).out_features
                yield Variant(
                    "items torn by a view",
                    f"{fed.layer} for {wrong}",
                    partial(_folded, path=fed.layer, width=wrong, out=out),
                )


@contextmanager
def _folded(model: nn.Module, path: str, width: int, out: Any) -> Iterator[None]:
    torch.manual_seed(3)
    with _put(model, path, Folded(width, out)):
        yield


# Slips in the line of the loss


def _pairs_squared(out: Tensor, y: Tensor) -> Tensor:
    return ((out - y) ** 2).mean()


def _pairs_mse(out: Tensor, y: Tensor) -> Tensor:
    return F.mse_loss(out, y)


def _pairs_l1(out: Tensor, y: Tensor) -> Tensor:
    return nn.L1Loss()(out, y)


def _pairs_squeezed(out: Tensor, y: Tensor) -> Tensor:
    return torch.abs(out.squeeze(-1) - y.view(-1, 1)).mean()


def _pairs_log(out: Tensor, y: Tensor) -> Tensor:
    p = torch.sigmoid(out)
    return -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean()


def _pairs_weighted(out: Tensor, y: Tensor) -> Tensor:
    each = F.smooth_l1_loss(out, y.unsqueeze(1), reduction="none")
    return (each * y).mean()


LOSSES = (_pairs_squared, _pairs_mse, _pairs_l1, _pairs_squeezed, _pairs_log, _pairs_weighted)


def loss_slips(model: nn.Module, inputs: tuple[Any, ...]) -> Iterator[Variant]:
    """A head of width one, and targets without that axis."""
    with torch.no_grad():
        out = model(*inputs)
    head = next((p for p, m in reversed([*model.named_modules()]) if isinstance(m, nn.Linear)), None)
    if (
        head is None
        or not isinstance(out, Tensor)
        or out.ndim != 2
        or out.shape[1] != model.get_submodule(head).out_features
    ):
        return
    for loss in LOSSES:
        yield Variant("loss of pairs", f"{head}, {loss.__name__}", partial(_narrowed, path=head, norms=()), loss)


# Running


def break_one(name: str, send: Send, per_model: int, seed: int) -> None:
    """Send a `Verdict` for some variants of an architecture, of every kind that it has places for."""
    torch.set_num_threads(1)
    architecture = zoo.find(name)
    inputs = architecture.example()
    try:
        model = architecture.built()
        with torch.no_grad():
            model(*inputs)
    except Exception as error:
        send(Skipped(name, str(error) or type(error).__name__))
        return
    found = [*source_slips(model), *layer_slips(model, inputs), *loss_slips(model, inputs)]
    random.Random(f"{seed} {name}").shuffle(found)
    kept: Counter[str] = Counter()
    for variant in found:
        if kept[variant.kind] >= per_model:
            continue
        for batch in dict.fromkeys((2, 1, *inputs[0].shape[1:2])):  # and as many items as channels, or steps
            if batch > 64:
                continue
            verdict = judged(variant, architecture, model, resized(inputs, batch), batch)
            if verdict is not None:
                kept[variant.kind] += 1
                send(verdict)
                break
    send(Skipped(name, ""))


def resized(inputs: tuple[Any, ...], batch: int) -> tuple[Any, ...]:
    return tuple(each[:1].repeat(batch, *([1] * (each.ndim - 1))) if len(each) != batch else each for each in inputs)


def judged(
    variant: Variant, architecture: zoo.Architecture, model: nn.Module, inputs: tuple[Any, ...], batch: int
) -> Verdict | None:
    """What shapewatch says of the variant; None where it raises, or changes nothing."""
    import shapewatch

    torch.manual_seed(5)
    target = torch.rand(batch)
    try:
        with torch.no_grad(), _quiet():
            healthy = model(*inputs)
            with variant.applied(model):
                torch.manual_seed(6)
                broken = model(*inputs)
                if variant.loss is not None and (broken.shape[0] == 1 or not variant.loss(broken, target).isfinite()):
                    return None
    except Exception:
        return None
    if variant.loss is None and same_tensors(tensors_in(healthy), tensors_in(broken)):
        return None
    with variant.applied(model), own_faults() as faults, torch.no_grad(), _quiet():
        with shapewatch.watch() as session:
            out = model(*inputs)
            if variant.loss is not None:
                variant.loss(out, target)
        found = [d for d in session.report.diagnoses if d.severity == "warning"]
    return Verdict(
        architecture.name,
        architecture.held_out,
        variant.kind,
        variant.place,
        batch,
        tuple(d.code for d in found),
        tuple(f"{d.code} {d.headline}" for d in found) or (f"nothing; output {say(shapes_of(broken))}",),
        tuple(faults),
    )


def _quiet() -> Any:
    import warnings

    stack = ExitStack()
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")
    return stack


def leave_one(name: str, send: Send) -> None:
    """Send a `Verdict` for each way in which the healthy architecture runs."""
    import shapewatch

    torch.set_num_threads(1)
    architecture = zoo.find(name)
    example = architecture.example()
    try:
        architecture.built()(*example)
    except Exception as error:
        send(Skipped(name, str(error) or type(error).__name__))
        return
    for mode in architecture.modes:
        model = architecture.built(mode)
        for batch in (1, 2, 3):
            inputs = resized(example, batch)
            try:
                with _quiet():
                    out = model(*inputs)
            except Exception:
                continue  # a batch norm that has one value, a model for one batch
            ways: list[tuple[str, Callable[[Any], Any]]] = [(f"{mode}, batch of {batch}", lambda _: None)]
            if mode == "train" and batch > 1 and isinstance(out, Tensor):
                ways.append(("training step", _usual_losses))
            for way, after in ways:
                with own_faults() as faults, _quiet(), shapewatch.watch() as session:
                    after(model(*inputs))
                true = zoo.TRUE_FAULTS.get(name)
                found = [d for d in session.report.diagnoses if d.severity == "warning" and d.code != true]
                said = tuple(f"{d.code} {d.headline}" for d in found)
                codes = tuple(d.code for d in found)
                send(Verdict(name, architecture.held_out, way, "", batch, codes, said, tuple(faults)))
                if way == "training step":
                    break


def _usual_losses(out: Tensor) -> None:
    """The losses that people write, on targets that fit."""
    if out.ndim == 2:
        labels = torch.randint(out.shape[1], (out.shape[0],))
        F.cross_entropy(out, labels, label_smoothing=0.1)
        (out.argmax(1) == labels).float().mean()
        F.nll_loss(torch.log_softmax(out, dim=1), labels)
        one = out[:, 0]
        F.mse_loss(one, torch.rand(out.shape[0]))
        ((out[:, :1] - torch.rand(out.shape[0], 1)) ** 2).mean()
        weights = torch.rand(out.shape[0])
        (F.cross_entropy(out, labels, reduction="none") * weights).mean()
        features = F.normalize(out, dim=1)
        logits = features @ features.t() / 0.1
        F.cross_entropy(logits, torch.arange(len(out)))
        squared = (out**2).sum(1, keepdim=True)
        distances = squared + squared.t() - 2 * out @ out.t()
        (distances.clamp(min=0) * (labels[:, None] == labels[None])).sum()
        (out - out.mean(0)).pow(2).mean()
        centers = torch.rand(5, out.shape[1])
        ((out[:, None] - centers) ** 2).sum(-1).min(1).values.mean()
        margin = (one.unsqueeze(1) - one.unsqueeze(0)).relu().mean()
        (margin + F.binary_cross_entropy_with_logits(out, torch.rand_like(out))).backward()
        return
    target = torch.rand_like(out)
    loss = F.mse_loss(out, target) + F.l1_loss(out, target) + ((out - target) ** 2).mean()
    (loss * torch.rand(())).backward()


# The result


def summary(verdicts: Sequence[Verdict], healthy: bool) -> str:
    groups: dict[str, list[Verdict]] = {}
    for each in verdicts:
        groups.setdefault(each.kind, []).append(each)
    rows = []
    for title, group in [*sorted(groups.items()), ("all", list(verdicts))]:
        warned, right = sum(v.warned for v in group), sum(v.rightly for v in group)
        share = f"{100 * warned / len(group):.0f} %"
        rows.append([title, str(len(group)), str(warned)] + ([] if healthy else [share, str(right)]))
    return table(
        ["run" if healthy else "slip", "runs" if healthy else "variants", "warned"]
        + ([] if healthy else ["share", "with its own code"]),
        rows,
    )


def parser() -> argparse.ArgumentParser:
    parse = argparse.ArgumentParser(
        prog="python -m benchmarks.silent", description="See what shapewatch says of faults that raise nothing."
    )
    parse.add_argument("--models", nargs="+", default=[], metavar="NAME", help="names or patterns; all without it")
    parse.add_argument("--split", choices=["dev", "held_out", "all"], default="dev")
    parse.add_argument("--healthy", action="store_true", help="break nothing; every warning is a false alarm")
    parse.add_argument("--per-model", type=int, default=2, metavar="N", help="variants of one kind in one model")
    parse.add_argument("--seed", type=int, default=0)
    parse.add_argument("--jobs", type=int, default=1)
    parse.add_argument("--timeout", type=float, default=120, metavar="SECONDS", help="for one run")
    parse.add_argument("--list", action="store_true", help="list what was not warned of")
    parse.add_argument("--out", type=Path, metavar="FILE", help="write every verdict as JSON")
    return parse


def main(arguments: Sequence[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    chosen = [each.name for each in zoo.select(given.models, "all" if given.healthy else given.split)]
    load_shapewatch()
    verdicts: list[Verdict] = []
    skipped: list[Skipped] = []
    interrupt_once()
    work = leave_one if given.healthy else partial(break_one, per_model=given.per_model, seed=given.seed)
    try:
        for name, message in run_each(chosen, work, given.jobs, silence=given.timeout):
            if isinstance(message, Skipped | Lost):
                skipped += [Skipped(name, message.reason)] if message.reason else []
                continue
            verdicts.append(message)
            wrong = message.warned if given.healthy else not message.rightly
            if message.faults or (wrong and (given.healthy or given.list)):
                what = f"{message.kind}, batch {message.batch}" if message.place else message.kind
                said = "; ".join(message.said + message.faults)
                print(f"{name}  [{what}] {message.place}: {said}", flush=True)
    except KeyboardInterrupt:
        pass
    for reason, names in by_reason(skipped).items():
        print(f"skipped  {', '.join(names)}: {reason}")
    if verdicts:
        print(summary(verdicts, given.healthy))
    if given.out:
        given.out.write_text(json.dumps([dataclasses.asdict(v) for v in verdicts], indent=1), encoding="utf-8")
    return 1 if given.healthy and any(v.warned or v.faults for v in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
