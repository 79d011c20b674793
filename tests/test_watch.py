"""`watch` as a user meets it: the block, what leaves it, and what a misuse is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from support.residual import Net, failure, frames, image, our_notes, own_frames, run
from torch import nn

import shapewatch
from shapewatch import recorder
from shapewatch.watching import UsageError

# The block


@pytest.mark.parametrize("given", [True, False])
def test_a_healthy_pass(given: bool) -> None:
    model = Net()
    with shapewatch.watch(model) if given else shapewatch.watch() as session:
        y = model(image())
    report = session.report
    assert y.shape == (1, 4, 8, 8)
    assert report.ok and report.diagnoses == () and report.frameworks == ("torch",)
    assert report.output == (1, 4, 8, 8)
    assert [call.layer for call in report.calls if call.is_layer] == ["", "stem", "block", "block.conv1", "block.conv2"]
    (junction,) = report.junctions
    assert (junction.kind, junction.layer, junction.status) == ("add", "block", "ok")


@pytest.mark.parametrize("given", [True, False])
def test_the_same_exception_leaves_with_one_note(given: bool) -> None:
    model, seen = Net(stride=2), []
    with pytest.raises(RuntimeError) as caught, shapewatch.watch(model) if given else shapewatch.watch() as session:
        try:
            model(image())
        except RuntimeError as error:
            seen.append((error, error.args, str(error)))
            raise
    assert caught.type is RuntimeError
    assert (caught.value, caught.value.args, str(caught.value)) == seen[0]
    assert caught.value is seen[0][0]
    assert len(our_notes(caught.value)) == len(caught.value.__notes__) == 1
    assert "SW201" in our_notes(caught.value)[0]
    assert not session.report.ok and session.report.diagnoses[0].code == "SW201"
    assert session.report.output is None


def test_the_traceback_is_the_bare_one() -> None:
    model = Net(stride=2)
    bare = failure(lambda: run(model, image()))

    def watched() -> None:
        with shapewatch.watch(model):
            run(model, image())

    seen = failure(watched)
    assert frames(seen)[1:] == frames(bare)[1:]
    assert own_frames(seen) == []


@pytest.mark.parametrize(
    "model, shape",
    [(nn.LayerNorm(5), (2, 4)), (nn.GroupNorm(2, 4), (2, 3, 4)), (nn.MaxPool2d(9), (1, 1, 4, 4))],
    ids=lambda value: type(value).__name__,
)
def test_the_traceback_is_the_bare_one_through_torch_functions(model: nn.Module, shape: tuple[int, ...]) -> None:
    """`F.layer_norm` calls itself again, through torch/overrides.py, while a function mode is active."""
    bare = failure(lambda: run(model, torch.zeros(shape)))

    def watched() -> None:
        with shapewatch.watch(model):
            run(model, torch.zeros(shape))

    assert frames(failure(watched))[1:] == frames(bare)[1:]


def test_notes_of_others_stay_and_ours_is_added_once_by_nested_watches() -> None:
    model = Net(stride=2)
    with pytest.raises(RuntimeError) as caught, shapewatch.watch() as outer, shapewatch.watch(model) as inner:
        try:
            model(image())
        except RuntimeError as error:
            error.add_note("batch 17")
            raise
    assert caught.value.__notes__[0] == "batch 17"
    assert len(our_notes(caught.value)) == 1
    assert inner.report.diagnoses[0].code == outer.report.diagnoses[0].code == "SW201"


def test_the_outer_watch_does_not_see_the_dry_runs_of_the_inner_one() -> None:
    model, sound, x = Net(stride=2), Net(), image()
    with shapewatch.watch() as outer:
        with pytest.raises(RuntimeError), shapewatch.watch() as inner:
            model(x)
        shapewatch.check(sound, x)
    assert inner.report.diagnoses[0].fixes
    assert [c.place for c in outer.report.calls] == [c.place for c in inner.report.calls]


def test_both_nested_watches_record_a_healthy_pass() -> None:
    model, x, other = Net(), image(), image(2)
    with shapewatch.watch() as outer:
        with shapewatch.watch(model) as inner:
            model(x)
        model(other)  # of the same sizes it would not be recorded again
    assert [c.place for c in inner.report.calls][:4] == [c.place for c in outer.report.calls][:4]
    assert len(outer.report.calls) == 2 * len(inner.report.calls)


def test_a_generator_closed_early() -> None:
    sessions: list[Any] = []

    def outputs() -> Iterator[torch.Tensor]:
        with shapewatch.watch() as session:
            sessions.append(session)
            while True:
                yield Net()(image())

    generator = outputs()
    next(generator)
    generator.close()
    assert sessions[0].report.ok and sessions[0].report.calls


def test_two_watches_that_end_in_the_order_in_which_they_began() -> None:
    first, second, model = shapewatch.watch(), shapewatch.watch(), Net()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    model(image())
    second.__exit__(None, None, None)
    assert first.report.calls == ()
    assert "add" in [call.name for call in second.report.calls]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_is_no_error_leaves_without_a_note(kind: type[BaseException]) -> None:
    class Stops(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.stem(x)
            raise stop

    stop, model = kind("now"), Stops()
    with pytest.raises(kind) as caught, shapewatch.watch(model) as session:
        model(image())
    assert caught.value is stop and stop.args == ("now",)
    assert not hasattr(stop, "__notes__")
    assert "stem" in [call.layer for call in session.report.calls]
    assert session.report.diagnoses == ()


def test_a_pass_after_an_interrupt_that_was_caught_inside_the_block() -> None:
    """PyTorch runs no hook for what is no `Exception`: the layers it left are still open when the next pass begins."""

    class Stops(Net):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise KeyboardInterrupt(x.shape)

    interrupted, model = Stops(), Net()
    with shapewatch.watch() as session:
        with pytest.raises(KeyboardInterrupt):
            interrupted(image())
        model(image())
    assert session.report.output == (1, 4, 8, 8)
    outermost = [call.name for call in session.report.calls if call.is_layer and call.parent is None]
    assert outermost == ["Stops", "Net"]


def test_an_error_that_is_none_of_shapes_gets_no_note() -> None:
    with pytest.raises(KeyError) as caught, shapewatch.watch() as session:
        Net()(image())
        {}["missing"]
    assert not hasattr(caught.value, "__notes__")
    assert session.report.ok and session.report.calls


def test_an_error_caught_inside_the_block_is_reported_and_not_written_on() -> None:
    model = Net(stride=2)
    with shapewatch.watch(model) as session:
        error = failure(lambda: model(image()))
    assert our_notes(error) == []
    assert session.report.diagnoses[0].code == "SW201"


def test_a_pass_that_succeeds_after_one_that_failed() -> None:
    with shapewatch.watch() as session:
        try:
            Net(stride=2)(image())
        except RuntimeError:
            y = Net()(image())  # inside the handler: an exception is being handled all the while
    assert session.report.ok and session.report.output == tuple(y.shape)


def test_models_inside_functions_and_several_passes() -> None:
    def evaluate() -> list[torch.Tensor]:
        model = Net().eval()
        return [model(image(batch)) for batch in (1, 2)]

    with shapewatch.watch() as session:
        evaluate()
    assert session.report.output == (2, 4, 8, 8)
    assert len([call for call in session.report.calls if call.is_layer and call.layer == "stem"]) == 2
    assert len(session.report.junctions) == 2


def test_operations_outside_of_every_model() -> None:
    with pytest.raises(RuntimeError) as caught, shapewatch.watch() as session:
        torch.zeros(2, 3) @ torch.zeros(2, 3)
    assert len(our_notes(caught.value)) == 1
    assert session.report.diagnoses[0].code == "SW101"


def test_torch_imported_inside_the_block_is_seen() -> None:
    program = """if True:
        import shapewatch, sys
        with shapewatch.watch() as session:
            assert "torch" not in sys.modules
            import torch
            model = torch.nn.Linear(3, 2)
            model(torch.zeros(1, 3))
        print(session.report.frameworks, session.report.output, [f for f in sys.meta_path if "shapewatch" in repr(f)])
        print(torch.__spec__.loader)
        """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    seen, loader = done.stdout.splitlines()
    assert seen == "('torch',) (1, 2) []"
    assert "shapewatch" not in loader


# Misuse


class NoModel:
    """A class that is no model."""


async def coroutine() -> None:
    """Gives control away."""


def used_twice() -> None:
    session = shapewatch.watch(Net())
    for _ in range(2):
        with session:
            pass


def reads_too_early() -> None:
    with shapewatch.watch() as session:
        print(session.report)


@pytest.mark.parametrize(
    "misuse, said",
    [
        (lambda: shapewatch.watch(3), "takes a model, a model class or a function"),
        (lambda: shapewatch.watch("net"), "takes a model, a model class or a function"),
        (lambda: shapewatch.watch(NoModel), "takes a model class"),
        (lambda: shapewatch.watch()(NoModel), "takes a model class"),
        (lambda: shapewatch.watch()(3), "decorates a model class or a function, not int"),
        (lambda: shapewatch.watch(Net())(run), "takes no model"),
        (lambda: shapewatch.watch(coroutine), "inside it"),
        (used_twice, "used already"),
        (reads_too_early, "when the `with` block has ended"),
        (lambda: shapewatch.watch().report, "when the `with` block has ended"),
    ],
)
def test_misuse_is_told_in_one_line(misuse: Callable[[], Any], said: str) -> None:
    error = failure(misuse)
    assert isinstance(error, UsageError)
    assert said in str(error) and "\n" not in str(error)
    assert error.__cause__ is None and not hasattr(error, "__notes__")


def test_an_input_that_was_made_inside_the_block_is_still_an_input() -> None:
    class Positions(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.token = nn.Embedding(9, 4)
            self.position = nn.Parameter(torch.zeros(1, 6, 4))

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.token(tokens) + self.position[:, : tokens.shape[1]]

    with pytest.raises(RuntimeError), shapewatch.watch() as session:
        Positions()(torch.randint(0, 9, (2, 8)))
    (diagnosis,) = session.report.diagnoses
    assert [fix.edit.get("shape") for fix in diagnosis.fixes if fix.edit["action"] == "input"] == [(2, 6)]


def test_a_long_training_loop_forgets_its_earlier_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "KEPT", 100)
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    with pytest.raises(RuntimeError), shapewatch.watch() as session:
        for size in (4,) * 200 + (5,):
            model(torch.ones(2, size))
    assert len(session.report.calls) < 120
    assert session.report.diagnoses[0].code == "SW102"
