"""A watched program computes what it would compute bare, bit for bit, and nothing of it is kept alive or marked."""

from __future__ import annotations

import copy
import gc
import io
import pickle
import threading
import warnings
import weakref
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import shapewatch

Checked = Callable[[], AbstractContextManager[None]]


class Residual(nn.Module):
    """Has what a careless watch would disturb: batch statistics, dropout, an in-place addition, a view, a counter."""

    def __init__(self, skip_stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.skip = nn.MaxPool2d(1, skip_stride)
        self.head = nn.Linear(3 * 36, 4)
        self.passes = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.passes += 1
        out = self.drop(self.norm(self.conv(x)))
        out += self.skip(x)
        return self.head(torch.relu_(out).view(len(x), -1))


def images(batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 3, 6, 6, generator=torch.Generator().manual_seed(1))


def seeded(model: Callable[[], nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return model()


def explanations(error: BaseException) -> int:
    return sum(note.startswith("shapewatch:") for note in getattr(error, "__notes__", ()))


# The same numbers


def train(model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Two steps of training: the losses, the gradients, the weights and statistics, what the generator gives next."""
    torch.manual_seed(3)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    losses = []
    for _ in range(2):
        optimizer.zero_grad()
        output = model(x)
        loss = (output[0] if isinstance(output, tuple) else output).square().mean()
        loss.backward()
        losses.append(loss.detach())
        optimizer.step()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    return [*losses, *gradients, *model.state_dict().values(), torch.rand(3)]


@pytest.mark.parametrize(
    "model, x",
    [
        (Residual, images()),
        (lambda: nn.LSTM(6, 5, 2, dropout=0.3, batch_first=True), images()[:, 0]),
        (lambda: nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), images()[:, 0]),
        (lambda: nn.Sequential(nn.Conv1d(6, 4, 3), nn.GroupNorm(2, 4), nn.GELU(), nn.Flatten(), nn.Linear(16, 2)),
         images()[:, 0]),
    ],
    ids=["residual", "lstm", "transformer", "conv1d"],
)  # fmt: skip
def test_training_is_the_same(model: Callable[[], nn.Module], x: torch.Tensor) -> None:
    bare = train(seeded(model), x)
    watched = seeded(model)
    with shapewatch.watch(watched) as session:
        seen = train(watched, x)
    assert session.report.ok and session.report.calls
    assert len(seen) == len(bare) and all(map(torch.equal, bare, seen))


def vmapped(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return torch.func.vmap(model, randomness="same")(x[:, None])[:, 0]


def per_sample_gradient(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    def loss(weights: dict[str, torch.Tensor], one: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(model, weights, (one[None],)).square().sum()

    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    return torch.func.vmap(torch.func.grad(loss), (None, 0))(weights, x)["conv.weight"]


def autocast(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return model(x)


def under(context: Callable[[], AbstractContextManager[Any]]) -> Callable[[nn.Module, torch.Tensor], torch.Tensor]:
    def call(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
        with context():
            return model(x)

    return call


def checkpointed(reentrant: bool) -> Callable[[nn.Module, torch.Tensor], torch.Tensor]:
    def call(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
        x = x.clone().requires_grad_()
        checkpoint(model, x, use_reentrant=reentrant).sum().backward()
        assert x.grad is not None
        return x.grad

    return call


def traced_by_fx(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return torch.fx.symbolic_trace(nn.Sequential(*list(model.children())[:2]))(x)


PROGRAMS: dict[str, Callable[[nn.Module, torch.Tensor], torch.Tensor]] = {
    "no_grad": under(torch.no_grad),
    "inference_mode": under(torch.inference_mode),
    "autocast": autocast,
    "anomaly": under(lambda: torch.autograd.set_detect_anomaly(True, check_nan=False)),
    "checkpoint": checkpointed(False),
    "checkpoint, reentrant": checkpointed(True),
    "vmap": vmapped,
    "grad of vmap": per_sample_gradient,
    "fx": traced_by_fx,
    "double": lambda model, x: model.double()(x.double()),
}


@pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_compute_the_same(name: str) -> None:
    bare = PROGRAMS[name](seeded(Residual).eval(), images())
    model = seeded(Residual).eval()
    with shapewatch.watch() as session:
        seen = PROGRAMS[name](model, images())
    assert torch.equal(bare, seen) and bare.dtype == seen.dtype
    assert session.report.ok
    assert "conv" in [call.kind for call in session.report.calls]


def encoder() -> nn.Module:
    return nn.TransformerEncoder(nn.TransformerEncoderLayer(12, 2, 24, batch_first=True), 2, enable_nested_tensor=False)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_the_fused_encoder_stays_fused(context: Any) -> None:
    model, x = seeded(encoder).eval(), torch.randn(2, 5, 12)
    with context():
        bare = model(x)
        with shapewatch.watch(model) as session:
            seen = model(x)
    assert torch.equal(bare, seen)
    assert session.report.ok and session.report.output == (2, 5, 12)


def test_an_error_inside_the_fused_encoder_is_explained() -> None:
    model = seeded(encoder).eval()
    model.layers[1].linear1 = nn.Linear(14, 24)  # 12 features come in
    with pytest.raises(RuntimeError) as caught, torch.no_grad(), shapewatch.watch(model) as session:
        model(torch.randn(2, 5, 12))
    assert explanations(caught.value) == 1
    cause = session.report.diagnoses[0].cause
    assert cause is not None and cause.layer == "layers.1.linear1"


@pytest.mark.parametrize("hooks_ignored", [True, False])
def test_a_compiled_model_is_not_compiled_again(hooks_ignored: bool) -> None:
    """PyTorch warns of global hooks when a compiled model is called: ours are not the user's to hear of."""
    compiled: list[int] = []

    def backend(graph: Any, example: Any) -> Any:
        compiled.append(len(example))
        return graph.forward

    model = torch.compile(nn.Sequential(nn.Linear(4, 4), nn.ReLU()), backend=backend)
    bare = model(torch.ones(2, 4))
    with warnings.catch_warnings(), shapewatch.watch() as session:
        if hooks_ignored:
            warnings.filterwarnings("ignore", "Using `torch.compile")
        seen = model(torch.ones(2, 4))
    assert torch.equal(bare, seen) and len(compiled) == 1
    assert session.report.ok and session.report.output == (2, 4)


def test_nested_and_sparse_tensors_pass_through() -> None:
    rows = [torch.ones(2, 3), torch.ones(4, 3)]
    with shapewatch.watch() as session:
        nested = torch.nested.as_nested_tensor(rows, layout=torch.jagged)
        assert nn.Linear(3, 2)(nested).size(0) == 2
        assert nn.Linear(3, 2)(torch.eye(3).to_sparse().to_dense()).shape == (3, 2)
    assert session.report.ok


# Nothing drawn, nothing moved


def healthy(model: Residual) -> None:
    with shapewatch.watch(model) as session:
        model(images())
    assert session.report.ok


def failing(model: Residual) -> None:
    with pytest.raises(RuntimeError), shapewatch.watch(model):
        model(images())


def checked(model: Residual) -> None:
    report = shapewatch.check(model, images())
    assert report.calls


@pytest.mark.parametrize("action, stride", [(healthy, 1), (failing, 2), (checked, 1), (checked, 2)])
def test_no_random_number_is_drawn(action: Callable[[Residual], None], stride: int, draws_nothing: Checked) -> None:
    model = seeded(lambda: Residual(stride)).eval()
    with draws_nothing():
        action(model)


@pytest.mark.parametrize("action, passes", [(failing, 1), (checked, 0)])
def test_looking_again_moves_nothing_in_the_model(action: Callable[[Residual], None], passes: int) -> None:
    model = seeded(lambda: Residual(2)).train()
    state = copy.deepcopy(model.state_dict())
    modules, attributes = dict(model.named_modules()), {name: set(vars(m)) for name, m in model.named_modules()}
    action(model)
    if passes:
        state["norm.num_batches_tracked"] += 1  # the user's own pass, which got as far as the norm
    for name, value in model.state_dict().items():
        if not (passes and "running" in name):
            assert torch.equal(value, state[name]), name
    assert model.passes == passes
    assert dict(model.named_modules()) == modules
    assert {name: set(vars(m)) for name, m in model.named_modules()} == attributes
    assert all(parameter.grad is None and parameter.device.type == "cpu" for parameter in model.parameters())


# Nothing kept alive, nothing marked


class Spied(Residual):
    """Keeps weak references to its input and to an activation."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.conv(x)
        self.seen = [weakref.ref(x), weakref.ref(inner)]
        return inner + self.skip(x)


@pytest.mark.parametrize("given", [True, False])
def test_no_tensor_outlives_its_program(given: bool) -> None:
    model = Spied()
    with shapewatch.watch(model) if given else shapewatch.watch() as session:
        y = model(images())
        result = weakref.ref(y)
        del y
        gc.collect()
        assert [reference() for reference in (*model.seen, result)] == [None] * 3
    assert session.report.output == (2, 3, 6, 6)


def test_no_tensor_outlives_its_exception() -> None:
    model, session = Spied(skip_stride=2), shapewatch.watch()

    def fail() -> None:
        with pytest.raises(RuntimeError), session:
            model(images())

    fail()
    gc.collect()
    assert [reference() for reference in model.seen] == [None, None]
    assert session.report.diagnoses[0].code == "SW201"


def test_a_kept_session_holds_neither_tensors_nor_model(live_tensors: Callable[[], int]) -> None:
    before, sessions = live_tensors(), []
    for stride in (1, 2, 1):
        model = Residual(stride)
        gone = weakref.ref(model)
        with pytest.raises(RuntimeError) if stride == 2 else nullcontext(), shapewatch.watch(model) as session:
            model(images())
        sessions.append(session)
        del model
        gc.collect()
        assert gone() is None
    assert live_tensors() == before
    assert [session.report.ok for session in sessions] == [True, False, True]


def test_tensors_and_modules_carry_no_mark() -> None:
    model, x = Residual(), images()
    with shapewatch.watch(model):
        y = model(x)
        for tensor in (x, y, *model.parameters(), *model.buffers()):
            assert tensor.__dict__ == {} and not tensor._backward_hooks
        for module in model.modules():
            assert set(vars(module)) == set(vars(copy.deepcopy(module)))
            assert not module._forward_hooks and not module._forward_pre_hooks and "forward" not in vars(module)


def test_a_model_is_saved_and_copied_inside_the_block() -> None:
    model, file = seeded(Residual).eval(), io.BytesIO()
    with shapewatch.watch(model):
        y = model(images())
        again, twin = pickle.loads(pickle.dumps(model)), copy.deepcopy(model)
        torch.save(model.state_dict(), file)
        torch.save(y, file)
    assert torch.equal(again(images()), y) and torch.equal(twin(images()), y)
    assert b"shapewatch" not in file.getvalue() and b"shapewatch" not in pickle.dumps(model)


# Other threads


def in_a_thread(function: Callable[[], None]) -> list[BaseException]:
    raised: list[BaseException] = []

    def run() -> None:
        try:
            function()
        except Exception as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return raised


def test_other_threads_are_not_recorded_and_keep_their_errors() -> None:
    broken, mine = Residual(2), nn.Linear(3, 2)
    with shapewatch.watch() as session:
        raised = in_a_thread(lambda: broken(images()))
        mine(torch.zeros(1, 3))
    assert [type(error) for error in raised] == [RuntimeError] and not hasattr(raised[0], "__notes__")
    assert {call.name for call in session.report.calls if call.is_layer} == {"Linear"}
    assert session.report.ok


def test_a_watch_in_each_thread() -> None:
    sessions: list[Any] = []

    def watched() -> None:
        with shapewatch.watch() as session:
            sessions.append(session)
            Residual(2)(images())

    model = Residual()
    with shapewatch.watch() as session:
        raised = in_a_thread(watched)
        model(images())
    assert [explanations(error) for error in raised] == [1]
    assert session.report.ok and session.report.output == (2, 4)
    assert not sessions[0].report.ok
