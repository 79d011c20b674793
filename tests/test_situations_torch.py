"""The situations in which PyTorch models run: each is unaffected by a watch, and where it fails, the layer is named.

A situation is a program around a model. It is run bare and watched with a sound model, and has to give the same bits:
what it returns, gradients, weights, statistics, the next random numbers. Then it is run with a model that cannot work,
and has to fail as it fails bare, with the layer that is wrong named.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
import torch
from support.residual import failure, our_notes, own_frames
from torch import Tensor, nn
from torch.func import functional_call, grad, jacrev, jvp, stack_module_state, vjp, vmap
from torch.nn.utils import parametrizations, prune
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

import shapewatch

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:Anomaly Detection has been enabled"),
    pytest.mark.filterwarnings("ignore:Lazy modules are a new feature", "ignore:`torch.jit.script` is deprecated"),
]


class Block(nn.Module):
    """A residual block. With a stride of 2 its branches do not fit: `reduce` is to blame."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(6, 6, 3, 2 if stride == 2 else 1, 1)
        self.norm = nn.BatchNorm2d(6)
        self.mix = nn.Conv2d(6, 6, 3, 1, 1)
        self.drop = nn.Dropout(0.2)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.mix(torch.relu(self.norm(self.reduce(x))))) + x


class Net(nn.Module):
    """[N, 3, 8, 8] to [N, 4]; its second block is broken by a stride of 2."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 1)
        self.blocks = nn.Sequential(Block(), Block(stride), Block())
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


def images(batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, 8, 8, generator=torch.Generator().manual_seed(1))


Situation = Callable[[Net, Tensor], Any]
SITUATIONS: dict[str, Situation] = {}


def situation(run: Situation) -> Situation:
    """One more: it is called by what its function is called."""
    SITUATIONS[run.__name__] = run
    return run


def under(name: str, context: Callable[[], AbstractContextManager[Any]]) -> None:
    def run(model: Net, x: Tensor) -> Tensor:
        with context():
            return model(x)

    SITUATIONS[name] = run


# Training


@situation
def backward(model: Net, x: Tensor) -> Tensor:
    x = x.requires_grad_()
    model(x).square().mean().backward()
    assert x.grad is not None
    return x.grad


@situation
def backward_of_backward(model: Net, x: Tensor) -> Tensor:
    x = x.requires_grad_()
    (slope,) = torch.autograd.grad(model(x).square().sum(), x, create_graph=True)
    slope.square().sum().backward()
    return slope.detach()


def trained_by(name: str, **settings: Any) -> None:
    def run(model: Net, x: Tensor) -> list[Tensor]:
        optimizer = getattr(torch.optim, name)(model.parameters(), **settings)
        losses = []

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            losses.append(loss.detach())
            return loss

        for _ in range(3):
            optimizer.step(closure)
        return losses

    SITUATIONS[f"{name} with a closure"] = run


trained_by("SGD", lr=0.1, momentum=0.9, nesterov=True)
trained_by("Adam", lr=0.1, foreach=True)
trained_by("AdamW", lr=0.1, fused=True)
trained_by("LBFGS", lr=0.1, max_iter=2)


@situation
def a_training_step_with_everything(model: Net, x: Tensor) -> Tensor:
    """Scaled gradients under autocast, added up over two passes, clipped; a schedule, and an average of the weights."""
    average = torch.optim.swa_utils.AveragedModel(model)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 4)
    scaler = torch.amp.GradScaler("cpu")
    for _ in range(2):
        for part in x.split(1):
            with torch.autocast("cpu", torch.bfloat16):
                loss = nn.functional.cross_entropy(model(part.repeat(2, 1, 1, 1)), torch.tensor([0, 1]))
            scaler.scale(loss / 2).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        schedule.step()
        average.update_parameters(model)
    return average.eval()(x)


under("no_grad", torch.no_grad)
under("inference_mode", torch.inference_mode)
under("autocast", lambda: torch.autocast("cpu", torch.bfloat16))
under("anomaly", lambda: torch.autograd.set_detect_anomaly(True, check_nan=False))
under("deterministic", lambda: torch.random.fork_rng(devices=[]))
under("saved_tensors", lambda: torch.autograd.graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t))
under("profiler", lambda: torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]))


def checkpointed(reentrant: bool) -> Situation:
    def run(model: Net, x: Tensor) -> Tensor:
        x = x.requires_grad_()
        inner = model.stem(x)
        for block in model.blocks:
            inner = checkpoint(block, inner, use_reentrant=reentrant)
        model.head(inner.mean((2, 3))).sum().backward()
        assert x.grad is not None
        return x.grad

    return run


def checkpointed_in_parts(reentrant: bool) -> Situation:
    def run(model: Net, x: Tensor) -> Tensor:
        x = x.requires_grad_()
        checkpoint_sequential(model.blocks, 2, model.stem(x), use_reentrant=reentrant).sum().backward()
        assert x.grad is not None
        return x.grad

    return run


@situation
def checkpoint_in_a_checkpoint(model: Net, x: Tensor) -> Tensor:
    """A part that is run again has parts that are run again."""

    def outer(inner: Tensor) -> Tensor:
        for block in model.blocks:
            inner = checkpoint(block, inner, use_reentrant=False)
        return inner

    x = x.requires_grad_()
    inner = checkpoint(outer, model.stem(x), use_reentrant=False)
    model.head(inner.mean((2, 3))).sum().backward()
    assert x.grad is not None
    return x.grad


def accelerated(model: Net, x: Tensor) -> list[Tensor]:
    """Steps under accelerate, whose loop is the program's own: gradients of two batches before each."""
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.cat([x, x + 1])), batch_size=len(x))
    net, optimizer, batches = accelerator.prepare(model, torch.optim.SGD(model.parameters(), 0.1), loader)
    losses = []
    for (batch,) in batches:
        with accelerator.accumulate(net):
            loss = net(batch).square().mean()
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
        losses.append(loss.detach())
    return losses


if find_spec("accelerate") is not None:
    situation(accelerated)


for _reentrant in (False, True):
    SITUATIONS[f"checkpoint, reentrant {_reentrant}"] = checkpointed(_reentrant)
    SITUATIONS[f"checkpoint_sequential, reentrant {_reentrant}"] = checkpointed_in_parts(_reentrant)


# Functions of functions


def weights_of(model: Net) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


@situation
def functional(model: Net, x: Tensor) -> Tensor:
    return functional_call(model, weights_of(model), (x,))


@situation
def gradient_by_function(model: Net, x: Tensor) -> list[Tensor]:
    model.eval()  # statistics may not change in there
    slopes = grad(lambda weights: functional_call(model, weights, (x,)).square().sum())(weights_of(model))
    return list(slopes.values())


@situation
def gradients_one_by_one(model: Net, x: Tensor) -> list[Tensor]:
    model.eval()

    def loss(weights: dict[str, Tensor], one: Tensor) -> Tensor:
        return functional_call(model, weights, (one[None],)).square().sum()

    return list(vmap(grad(loss), (None, 0))(weights_of(model), x).values())


@situation
def mapped(model: Net, x: Tensor) -> Tensor:
    return vmap(model.eval(), randomness="different")(x[:, None])


@situation
def forward_derivative(model: Net, x: Tensor) -> list[Tensor]:
    return list(jvp(model.eval(), (x,), (torch.ones_like(x),)))


@situation
def backward_derivative(model: Net, x: Tensor) -> list[Tensor]:
    out, pull = vjp(model.eval(), x)
    return [out, *pull(torch.ones_like(out))]


@situation
def jacobian(model: Net, x: Tensor) -> Tensor:
    return jacrev(model.eval())(x)


@situation
def ensemble(model: Net, x: Tensor) -> Tensor:
    weights, buffers = stack_module_state([model.eval(), copy.deepcopy(model).eval()])  # type: ignore[arg-type]

    def one(weights: Any, buffers: Any) -> Tensor:
        return functional_call(model, (weights, buffers), (x,))

    return vmap(one, randomness="different")(weights, buffers)


# Hooks, modes and weights of others


@contextmanager
def registered(*handles: Any) -> Iterator[None]:
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@situation
def hooks_on_a_module(model: Net, x: Tensor) -> list[Tensor]:
    seen: list[Tensor] = []
    handles = [
        model.blocks[0].register_forward_pre_hook(lambda _module, args: (args[0] * 2,)),
        model.blocks[0].register_forward_hook(lambda _module, _args, out: out + 1),
        model.head.register_forward_hook(lambda _m, _args, _kwargs, out: seen.append(out.detach()), with_kwargs=True),
        model.stem.register_full_backward_hook(lambda _module, _inner, outer: seen.append(outer[0])),
        model.stem.weight.register_hook(lambda slope: slope * 3),
    ]
    with registered(*handles):
        model(x.requires_grad_()).sum().backward()
    return seen


@situation
def hooks_on_every_module(model: Net, x: Tensor) -> list[Tensor]:
    from torch.nn.modules import module

    seen: list[Tensor] = []
    handles = [
        module.register_module_forward_pre_hook(lambda _module, args: seen.append(args[0].detach())),
        module.register_module_forward_hook(lambda _module, _args, out: out * 2),
    ]
    with registered(*handles):
        out = model(x.requires_grad_())
        out.sum().backward()
    return [*seen, out.detach()]


@situation
def hooks_that_come_and_go_during_a_pass(model: Net, x: Tensor) -> list[Tensor]:
    seen: list[Tensor] = []
    handles: list[Any] = []

    def come(*_: Any) -> None:
        handles.append(model.blocks[2].register_forward_hook(lambda _module, _args, out: seen.append(out.detach())))
        first.remove()

    first = model.blocks[0].register_forward_pre_hook(come)
    out = [model(x).detach() for _ in range(2)]
    with registered(*handles):
        return [*seen, *out]


@situation
def a_hook_that_runs_a_model(model: Net, x: Tensor) -> Tensor:
    probe = nn.Sequential(nn.Flatten(), nn.Linear(6 * 64, 2))
    handle = model.stem.register_forward_hook(lambda _module, _args, out: out + probe(out).sum())
    with registered(handle):
        return model(x)


class Doubled(TorchFunctionMode):
    """A mode that changes what an operation gives."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        return out * 2 if function is torch.relu else out


class Counted(TorchDispatchMode):
    """A mode below autograd."""

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return function(*args, **(kwargs or {}))


under("a function mode of others", Doubled)
under("a dispatch mode of others", Counted)
under("a default device", lambda: torch.device("cpu"))


class Marked(Tensor):
    """A subclass whose results are of its kind."""


@situation
def a_tensor_subclass(model: Net, x: Tensor) -> Tensor:
    out = model(x.as_subclass(Marked))
    assert type(out) is Marked
    return out.as_subclass(Tensor)


@situation
def weight_norm(model: Net, x: Tensor) -> Tensor:
    parametrizations.weight_norm(model.blocks[1].mix)
    model(x).sum().backward()
    return model(x)


@situation
def spectral_norm(model: Net, x: Tensor) -> Tensor:
    parametrizations.spectral_norm(model.blocks[1].mix)
    model(x).sum().backward()
    return model(x)


@situation
def weight_norm_of_old(model: Net, x: Tensor) -> Tensor:
    nn.utils.weight_norm(model.blocks[1].mix)
    return model(x)


@situation
def pruned(model: Net, x: Tensor) -> Tensor:
    prune.l1_unstructured(model.blocks[1].mix, "weight", 0.5)
    return model(x)


@situation
def a_function_with_a_gradient_of_its_own(model: Net, x: Tensor) -> Tensor:
    class Reversed(torch.autograd.Function):
        @staticmethod
        def forward(_ctx: Any, x: Tensor) -> Tensor:
            return model(x).view_as(model(x))

        @staticmethod
        def backward(_ctx: Any, _slope: Tensor) -> Tensor:  # type: ignore[override]
            return -torch.ones(2, 3, 8, 8)

    x = x.requires_grad_()
    Reversed.apply(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    return x.grad


@situation
def lazy_layers(model: Net, x: Tensor) -> Tensor:
    model.head = nn.LazyLinear(4)  # type: ignore[assignment]
    return model(x)


@situation
def a_copy_made_between_passes(model: Net, x: Tensor) -> list[Tensor]:
    return [model(x), copy.deepcopy(model)(x), model(x)]


@situation
def several_batches_of_several_sizes(model: Net, _x: Tensor) -> list[Tensor]:
    return [model(images(size)) for size in (2, 3, 2, 1, 2)]


# The proof


def seeded(stride: int = 1) -> Net:
    torch.manual_seed(0)
    return Net(stride).train()


def tensors(result: Any) -> Sequence[Tensor]:
    return result if isinstance(result, list) else [result]


def observed(run: Situation, model: Net) -> list[Tensor]:
    """All that a program computes, and what it leaves in the model and in the random generator."""
    torch.manual_seed(3)
    results = tensors(run(model, images()))
    slopes = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return [*results, *slopes, *model.state_dict().values(), torch.rand(3)]


def watch(model: nn.Module, given: bool) -> Any:
    return shapewatch.watch(model) if given else shapewatch.watch()


@pytest.mark.parametrize("given", [True, False], ids=["of the model", "of the block"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_is_unaffected(name: str, given: bool) -> None:
    run = SITUATIONS[name]
    bare = observed(run, seeded())
    model = seeded()
    with watch(model, given) as session:
        seen = observed(run, model)
    assert len(bare) == len(seen) and all(map(torch.equal, bare, seen))
    assert [a.dtype for a in bare] == [b.dtype for b in seen]
    assert session.report.ok and session.report.calls


@pytest.mark.parametrize("given", [True, False], ids=["of the model", "of the block"])
@pytest.mark.parametrize("name", SITUATIONS)
def test_what_fails_in_a_situation_is_diagnosed(name: str, given: bool) -> None:
    run = SITUATIONS[name]
    bare = failure(lambda: observed(run, seeded(2)))
    model = seeded(2)
    session = watch(model, given)

    def watched() -> None:
        with session:
            observed(run, model)

    error = failure(watched)
    assert (type(error), str(error)) == (type(bare), str(bare))
    assert len(our_notes(error)) == 1 and own_frames(error) == []
    found = session.report.diagnoses[0]
    assert found.code == "SW201"
    assert found.cause is not None and (found.cause.layer or "").endswith("reduce")
