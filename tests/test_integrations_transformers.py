"""The callback for Hugging Face's `Trainer`, with the real one, on small models with random weights."""

from __future__ import annotations

import functools
import gc
import pickle
import re
import weakref
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from support.residual import our_notes, own_frames
from support.torchvision_ops import declare_operators
from torch import nn
from torch.nn import functional

if find_spec("torchvision") is not None:
    declare_operators()  # Transformers imports it where it is installed
pytest.importorskip("accelerate")
transformers = pytest.importorskip("transformers")

import shapewatch  # noqa: E402
from shapewatch.integrations.transformers import ShapeWatch  # noqa: E402
from shapewatch.watching import Session, ShapeWarning  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*pin_memory.*:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:FutureWarning:transformers"),
]

CLASSES = 3


def bert(**options: Any) -> Any:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.BertConfig(**{**sizes, "vocab_size": 50, "num_labels": CLASSES, **options})
    return transformers.BertForSequenceClassification(config)


def vit(**options: Any) -> Any:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.ViTConfig(**{**sizes, "image_size": 16, "patch_size": 8, "num_labels": CLASSES, **options})
    return transformers.ViTForImageClassification(config)


def texts(count: int = 8, length: int = 7, labels: Any = 1) -> list[dict[str, torch.Tensor]]:
    return [{"input_ids": torch.arange(length) + i, "labels": torch.tensor(labels)} for i in range(count)]


def images(count: int = 8, size: int = 16) -> list[dict[str, torch.Tensor]]:
    return [{"pixel_values": torch.zeros(3, size, size), "labels": torch.tensor(i % CLASSES)} for i in range(count)]


@pytest.fixture(autouse=True)
def without_the_thread_of_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bar of progress starts it, and it stays."""
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)


@pytest.fixture
def trainer(tmp_path: Path) -> Callable[..., Any]:
    def made(model: Any, data: Any, *callbacks: Any, cls: Any = transformers.Trainer, **options: Any) -> Any:
        quiet = {"report_to": "none", "disable_tqdm": True, "logging_strategy": "no", "save_strategy": "no"}
        batches = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 4, "num_train_epochs": 2}
        arguments = {"output_dir": str(tmp_path), "use_cpu": True, **quiet, **batches, **options}
        settings = transformers.TrainingArguments(**arguments)
        return cls(model, settings, train_dataset=data, eval_dataset=data, callbacks=list(callbacks))

    return made


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    entered: list[Any] = []
    enter = Session.__enter__
    monkeypatch.setattr(Session, "__enter__", lambda self: entered.append(self) or enter(self))
    yield entered


def explained(run: Callable[[], Any], watch: ShapeWatch) -> shapewatch.Diagnosis:
    """What was found of a run that fails, and is said on its exception, once."""
    with pytest.raises((RuntimeError, ValueError, IndexError)) as caught:
        run()
    assert len(our_notes(caught.value)) == 1 and own_frames(caught.value) == []
    assert watch.report is not None and not watch.report.ok
    return watch.report.diagnoses[0]


def test_a_healthy_run_is_looked_at_once_for_each_signature(trainer: Any, sessions: list[Any]) -> None:
    watch = ShapeWatch()
    trains = trainer(bert(), texts(10), watch, eval_strategy="epoch")
    trains.train()
    assert trains.state.global_step == 6
    assert len(sessions) == 4  # fours and a last two, in training and in evaluation
    assert watch.report is not None and watch.report.ok and watch.report.frameworks == ("torch",)
    trains.predict(texts(4))
    assert len(sessions) == 4


def test_texts_of_other_lengths(trainer: Any, sessions: list[Any]) -> None:
    trainer(
        bert(), texts(4) + texts(4, length=9) + texts(4), ShapeWatch(), train_sampling_strategy="sequential"
    ).train()
    assert len(sessions) == 2


def test_labels_of_another_shape(trainer: Any) -> None:
    watch = ShapeWatch()
    diagnosis = explained(trainer(bert(), texts(labels=[1, 2]), watch).train, watch)
    assert diagnosis.code == "SW803"


def test_a_head_of_another_width(trainer: Any) -> None:
    watch, model = ShapeWatch(), bert()
    model.classifier = nn.Linear(20, CLASSES)
    diagnosis = explained(trainer(model, texts(), watch).train, watch)
    assert diagnosis.code == "SW102" and diagnosis.cause is not None and diagnosis.cause.layer == "classifier"
    assert diagnosis.fixes[0].verified == "forward" and diagnosis.fixes[0].edit["value"] == 16


def test_several_labels_for_another_number_of_classes(trainer: Any) -> None:
    watch = ShapeWatch()
    model = bert(problem_type="multi_label_classification")
    diagnosis = explained(trainer(model, texts(labels=[0.0, 1.0]), watch).train, watch)
    assert diagnosis.code.startswith("SW8") and "[4, 3]" in diagnosis.headline + diagnosis.explanation


def test_a_vision_transformer_with_another_number_of_patches(trainer: Any) -> None:
    watch, model = ShapeWatch(), vit()
    model.vit.embeddings.position_embeddings = nn.Parameter(torch.zeros(1, 9, 16))
    diagnosis = explained(trainer(model, images(), watch).train, watch)
    assert diagnosis.code == "SW202" and "vit.embeddings" in diagnosis.headline


@pytest.mark.parametrize("way", ["evaluate", "predict"])
def test_an_evaluation_that_nothing_was_trained_before(trainer: Any, way: str) -> None:
    watch, model = ShapeWatch(), bert()
    model.classifier = nn.Linear(20, CLASSES)
    trains = trainer(model, texts(), watch)
    run = trains.evaluate if way == "evaluate" else lambda: trains.predict(texts())
    assert explained(run, watch).code == "SW102"


class OwnLoss(transformers.Trainer):  # type: ignore[misc, name-defined]
    """A loss outside of the model; `fits` is whether the labels are as many as the answers."""

    fits = False

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        labels = inputs.pop("labels")
        out = model(**inputs)
        loss = functional.cross_entropy(out.logits, labels if self.fits else labels[1:])
        return (loss, out) if return_outputs else loss


@pytest.mark.parametrize("way", ["train", "evaluate"])
def test_a_loss_of_the_programs_own(trainer: Any, way: str) -> None:
    watch = ShapeWatch()
    diagnosis = explained(getattr(trainer(bert(), texts(), watch, cls=OwnLoss), way), watch)
    assert diagnosis.code == "SW803"
    assert diagnosis.location is not None and diagnosis.location.file == __file__


def own_collator(samples: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    return {name: torch.stack([sample[name] for sample in samples]) for name in samples[0]}


@pytest.mark.parametrize("collator", [None, own_collator])
@pytest.mark.parametrize("way", ["train", "evaluate"])
def test_a_batch_that_cannot_be_collected(trainer: Any, way: str, collator: Any) -> None:
    watch = ShapeWatch()
    trains = trainer(bert(), texts(3) + texts(1, length=9), watch, train_sampling_strategy="sequential")
    if collator is not None:
        trains.data_collator = collator
    with pytest.raises((RuntimeError, ValueError)) as caught:
        getattr(trains, way)()
    assert len(our_notes(caught.value)) == 1 and own_frames(caught.value) == []
    assert watch.report is not None and watch.report.diagnoses[0].code == "SW902"


def test_metrics_that_do_not_fit(trainer: Any) -> None:
    def accuracy(told: Any) -> dict[str, float]:
        guesses = torch.tensor(told.predictions).argmax(0)
        return {"accuracy": (guesses == torch.tensor(told.label_ids)).float().mean().item()}

    watch = ShapeWatch()
    trains = trainer(bert(), texts(), watch)
    trains.compute_metrics = accuracy
    diagnosis = explained(trains.evaluate, watch)
    assert diagnosis.location is not None and diagnosis.location.file == __file__
    assert "3 against 8" in diagnosis.headline


def test_gradients_that_are_accumulated(trainer: Any, sessions: list[Any]) -> None:
    watch = ShapeWatch()
    trains = trainer(bert(), texts(18), watch, gradient_accumulation_steps=2, train_sampling_strategy="sequential")
    trains.train()
    assert len(sessions) == 2 and watch.report is not None and watch.report.ok


def test_a_later_evaluation(trainer: Any) -> None:
    class Later(OwnLoss):
        @property
        def fits(self) -> bool:  # type: ignore[override]
            return self.model.training or self.state.epoch < 2

    watch = ShapeWatch()
    trains = trainer(bert(), texts(), watch, cls=Later, eval_strategy="epoch")
    with pytest.raises(ValueError) as caught:
        trains.train()
    assert trains.state.global_step == 4  # the evaluation before it was looked at: this is explained from the words
    assert len(our_notes(caught.value)) == 1 and watch.report is not None and not watch.report.ok


def test_a_model_that_fails_with_what_it_was_given_before(trainer: Any) -> None:
    class Changes(transformers.TrainerCallback):  # type: ignore[misc, name-defined]
        def on_epoch_end(self, *_: Any, model: Any, **__: Any) -> None:
            model.classifier = nn.Linear(20, CLASSES)

    watch = ShapeWatch()
    diagnosis = explained(trainer(bert(), texts(), watch, Changes()).train, watch)
    assert diagnosis.code == "SW102" and diagnosis.cause is not None and diagnosis.cause.layer == "classifier"


def test_a_callback_that_is_added_later(trainer: Any) -> None:
    watch, model = ShapeWatch(), bert()
    model.classifier = nn.Linear(20, CLASSES)
    trains = trainer(model, texts())
    trains.add_callback(watch)
    assert explained(trains.train, watch).code == "SW102"


def test_a_callback_that_is_removed(trainer: Any, sessions: list[Any]) -> None:
    trains = trainer(bert(), texts(), ShapeWatch())
    trains.remove_callback(ShapeWatch)
    trains.train()
    assert sessions == []


def test_an_interrupt(trainer: Any) -> None:
    """What a watch holds is gone: see `nothing_left_behind`."""

    class Stops(transformers.Trainer):  # type: ignore[misc, name-defined]
        def compute_loss(self, model: Any, inputs: Any, *_: Any, **__: Any) -> Any:
            model(**inputs)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        trainer(bert(), texts(), ShapeWatch(), cls=Stops).train()
    assert own_frames(caught.value) == []


def test_an_error_that_the_trainer_catches(trainer: Any, sessions: list[Any]) -> None:
    """With `auto_find_batch_size` it tries again with smaller batches."""

    class Full(transformers.Trainer):  # type: ignore[misc, name-defined]
        def compute_loss(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
            loss = super().compute_loss(model, inputs, *args, **options)
            if len(inputs["labels"]) > 2:
                raise RuntimeError("CUDA out of memory.")
            return loss

    watch = ShapeWatch()
    trains = trainer(bert(), texts(), watch, cls=Full, auto_find_batch_size=True, num_train_epochs=1)
    trains.train()
    assert trains.state.global_step > 2 and len(sessions) >= 2
    assert watch.report is not None and watch.report.ok


def test_an_error_that_is_not_of_shapes_is_left_alone(trainer: Any) -> None:
    class Stops(transformers.Trainer):  # type: ignore[misc, name-defined]
        def compute_loss(self, *_: Any, **__: Any) -> Any:
            raise KeyError("a label that is not in the table")

    with pytest.raises(KeyError) as caught:
        trainer(bert(), texts(), ShapeWatch(), cls=Stops).train()
    assert our_notes(caught.value) == []


class Adds(nn.Module):
    """Adds what has one channel to what has three."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.gate = nn.Embedding(50, 3), nn.Linear(3, 1)

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        x = self.embed(input_ids)
        return {"loss": (nn.functional.relu(x) + self.gate(x)).mean() + 0.0 * labels.sum()}


def test_what_looks_wrong_is_told_once(trainer: Any) -> None:
    watch = ShapeWatch()
    with pytest.warns(ShapeWarning, match="SW291") as told:
        trainer(Adds(), texts(10), watch).train()
    ours = [warning for warning in told if warning.category is ShapeWarning]
    assert len(ours) == 1 and ours[0].filename == __file__
    assert watch.report is not None and [each.code for each in watch.report.diagnoses] == ["SW291"]


def test_what_looks_wrong_ends_the_run(trainer: Any) -> None:
    with pytest.raises(ShapeWarning):
        trainer(Adds(), texts(), ShapeWatch(warnings="raise")).train()


def test_checkpoints_are_what_they_would_be(trainer: Any, tmp_path: Path) -> None:
    """Bit for bit: weights, optimizer, random states, and no state of ours."""

    def checkpoint(*callbacks: Any) -> dict[str, bytes]:
        transformers.set_seed(3)
        trainer(bert(), texts(10), *callbacks, save_strategy="epoch", num_train_epochs=1, seed=3).train()
        files = sorted((tmp_path / "checkpoint-3").iterdir())
        return {file.name: file.read_bytes() for file in files if file.name != "training_args.bin"}

    bare = checkpoint()
    assert {"model.safetensors", "optimizer.pt", "trainer_state.json"} <= set(bare)
    assert checkpoint() == bare  # or the next line would say nothing
    assert checkpoint(ShapeWatch()) == bare


def test_a_trainer_dies_as_soon_as_it_would(trainer: Any) -> None:
    def dies(*callbacks: Any) -> bool:
        trains = trainer(bert(), texts(), *callbacks)
        trains.train()
        reference = weakref.ref(trains)
        del trains
        return reference() is None

    gc.disable()
    try:
        assert dies() == dies(ShapeWatch())
    finally:
        gc.enable()


def test_a_callback_is_pickled_without_what_it_saw(trainer: Any) -> None:
    watch = ShapeWatch(warnings="allow")
    trainer(bert(), texts(), watch).train()
    again = pickle.loads(pickle.dumps(watch))
    assert again.report is None
    trainer(Adds(), texts(), again).train()
    assert again.report is not None and again.report.diagnoses == ()  # it still allows


# Without the callback


def test_a_block_around_the_trainer(trainer: Any) -> None:
    model = bert()
    with pytest.raises(ValueError) as caught, shapewatch.watch(model) as session:
        trainer(model, texts(), cls=OwnLoss).train()
    assert len(our_notes(caught.value)) == 1 and session.report.diagnoses[0].code == "SW803"


def test_what_the_documentation_shows(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "integrations.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (block,) = [block for block in blocks if "integrations.transformers" in block]
    model = bert()
    model.classifier = nn.Linear(20, CLASSES)
    quiet = {"use_cpu": True, "report_to": "none", "disable_tqdm": True, "save_strategy": "no"}
    arguments = functools.partial(transformers.TrainingArguments, **quiet)
    names: dict[str, Any] = {"model": model, "dataset": texts(), "folder": str(tmp_path)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transformers, "TrainingArguments", arguments)
        with pytest.raises(RuntimeError) as caught:
            exec(block, names)
    assert len(our_notes(caught.value)) == 1 and not names["watch"].report.ok
