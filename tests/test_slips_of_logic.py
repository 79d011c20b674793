"""Slips of logic in PyTorch's forwards and loops: results unpacked the other way round, what is not cut or summed, a
condition that lacks a word. The layers are all right, and none of them is to be changed."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import shapewatch
from shapewatch.adapters.guards import Guard, guard_at
from shapewatch.edits import Set
from shapewatch.recording import Span
from tests.support.told import best, failing, reason

# Results unpacked the other way round


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.gru = nn.Embedding(20, 8), nn.GRU(8, 12, 2, batch_first=True)
        self.head = nn.Linear(12, 5)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        _, out = self.gru(self.embed(tokens))
        return self.head(out * mask[:, :, None])


def test_a_recurrent_layers_results() -> None:
    model, tokens = Tagger(), torch.randint(0, 20, (4, 7))
    told = failing(model, tokens, torch.ones(4, 7))
    assert best(told) == ("out, _ = self.gru(self.embed(tokens))", "forward")
    assert reason(told) == "what it gives is unpacked the other way round"
    with told.fixes[0].applied(model):
        assert model(tokens, torch.ones(4, 7)).shape == (4, 7, 5)


class Doubly(nn.Module):
    """Gives what it explains of the past, and what it says of what is to come."""

    def __init__(self) -> None:
        super().__init__()
        self.back, self.ahead = nn.Linear(18, 18), nn.Linear(18, 6)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.back(x), self.ahead(x)


class Stack(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Doubly() for _ in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(x.shape[0], 6)
        for block in self.blocks:
            ahead, back = block(x)
            x = x - back
            total = total + ahead
        return total


def test_the_results_of_every_block_of_a_loop() -> None:
    told = failing(Stack(), torch.randn(4, 18))
    assert best(told) == ("back, ahead = block(x)", "forward")
    assert told.cause is not None and told.cause.layer == "blocks.0"


# What is not cut


class Causal(nn.Module):
    def __init__(self, given: int, width: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(given, width, 3, padding=2 * dilation, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.conv(x))


class Temporal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Causal(8, 8, 2**i) for i in range(3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = x + layer(x)
        return x


def test_causal_convolutions() -> None:
    model = Temporal()
    told = failing(model, torch.randn(2, 8, 30))
    assert best(told) == ("return torch.relu(self.conv(x)[..., : -self.conv.padding[0]])", "forward")
    assert "what it gives is longer than what it takes, and is not cut" in reason(told)
    with told.fixes[0].applied(model):
        assert model(torch.randn(2, 8, 30)).shape == (2, 8, 30)


class Narrow(Temporal):
    """One window of two is padded by what it reaches back."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Conv1d(8, 8, 3, padding=2), nn.Conv1d(8, 8, 5, padding=2)])


def test_a_padding_that_is_too_large_once() -> None:
    assert not any("cut" in fix.title for fix in failing(Narrow(), torch.randn(2, 8, 30)).fixes)


# Other axes


class Speech(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cnn, self.fc = nn.Conv2d(1, 6, 3, padding=1), nn.Linear(6 * 20, 9)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.cnn(x).flatten(2)
        return self.fc(x.transpose(1, 2))


def test_channels_and_bands_are_to_be_flattened() -> None:
    told = failing(Speech(), torch.randn(3, 1, 20, 33))
    assert best(told) == ("x = self.cnn(x).flatten(1, 2)  # axes 2 to 3 before", "forward")
    assert reason(told) == "it lays axes 2 to 3 together, where axes 1 to 2 fit"
    assert "another size" not in told.explanation, "120 is no flattened map of other places"


def contracted(cov: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    return torch.einsum("bij,jk->bik", cov, h)


class Tracker(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("h", torch.ones(2, 4))

    def forward(self, cov: torch.Tensor) -> torch.Tensor:
        return contracted(cov, self.h) @ torch.ones(2, 3)


def test_a_matrix_is_spelled_the_other_way_round() -> None:
    assert best(failing(Tracker(), torch.randn(5, 4, 4)))[0].startswith('return torch.einsum("bij,kj->bik", cov, h)')


class Merging(nn.Module):
    """The width of a head is left out."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out, self.heads, self.size = nn.Linear(24, 24), nn.Linear(24, 24), 4, 6

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, steps, _ = x.shape
        h = self.qkv(x).view(batch, steps, self.heads, self.size)
        h = h.reshape(batch, steps, self.heads)
        return self.out(h)


def test_a_factor_is_left_out_of_a_reshape() -> None:
    told = failing(Merging(), torch.randn(3, 5, 24))
    assert best(told) == ("h = h.reshape(batch, steps, -1)  # shape was (3, 5, 4)", "forward")


# Outside of models


class Gaussian(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Linear(7, 3)

    def evaluate(self, states: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        return torch.distributions.Normal(self.mean(states), 1.0).log_prob(actions)


def ratios() -> torch.Tensor:
    actor, old = Gaussian(), torch.randn(9)
    logp = actor.evaluate(torch.randn(9, 7), torch.randn(9, 3))
    return (logp - old).exp()


def test_the_log_probability_of_several_numbers() -> None:
    told = failing(ratios)
    assert best(told) == ("return (logp.sum(-1) - old).exp()", None)
    assert "`log_prob` gives one for each number of an action" in reason(told)


def similarities() -> torch.Tensor:
    texts, images = torch.randn(6, 16), torch.randn(6, 16)
    return texts @ images


def test_two_lists_of_vectors_that_are_compared() -> None:
    assert best(failing(similarities)) == ("return texts @ images.T", None)


class Contrast(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        count = a.shape[0]
        z = nn.functional.normalize(torch.cat([a, b]), dim=1)
        sim = z @ z.T
        sim = sim.masked_fill(torch.eye(count, dtype=torch.bool), -1e9)
        return nn.functional.cross_entropy(sim, (torch.arange(2 * count) + count) % (2 * count))


def test_a_mask_of_one_view_alone() -> None:
    told = failing(Contrast(), torch.randn(5, 8), torch.randn(5, 8))
    line = "sim = sim.masked_fill(torch.eye(sim.shape[0], dtype=torch.bool), -1e9)"
    assert best(told) == (line, "forward")


class Boxes(nn.Module):
    """The classes of an output are to be on axis 1."""

    def __init__(self) -> None:
        super().__init__()
        self.loss = nn.CrossEntropyLoss()

    def forward(self, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.loss(scores, labels)


def test_a_loss_inside_of_a_module() -> None:
    told = failing(Boxes(), torch.randn(2, 30, 4), torch.zeros(2, 30, dtype=torch.long))
    assert best(told) == ("return self.loss(scores.transpose(1, 2), labels)", "forward")


class Segmenter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


def masks_of_another_size() -> torch.Tensor:
    out = Segmenter()(torch.randn(2, 3, 32, 32))
    masks = torch.zeros(2, 48, 48, dtype=torch.long)
    return nn.functional.cross_entropy(out, masks)


def test_labels_of_another_size_than_the_data() -> None:
    told = failing(masks_of_another_size)
    assert best(told) == (
        "masks = nn.functional.interpolate(masks[:, None].float(), size=out.shape[2:])[:, 0].long()",
        None,
    )
    assert told.cause is not None and told.cause.type == "target"
    assert "The output is as large as what the model was given" in told.explanation


# Conditions


class Inverted(nn.Module):
    def __init__(self, given: int, width: int, stride: int) -> None:
        super().__init__()
        self.residual = stride == 1
        self.conv = nn.Conv2d(given, width, 3, stride, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(x)
        return x + y if self.residual else y


class InvertedInBody(Inverted):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.residual:
            return x + self.conv(x)
        return self.conv(x)


@pytest.mark.parametrize(
    ("cls", "code"),
    [
        (Inverted, "return x + y if self.residual and x.shape == y.shape else y"),
        (
            InvertedInBody,
            "out = self.conv(x)\nif self.residual and x.shape == out.shape:\n    return x + out",
        ),
    ],
)
def test_a_residual_whose_condition_lacks_the_channels(cls: type[Inverted], code: str) -> None:
    widths = [(8, 16, 2), (16, 16, 1), (16, 16, 1), (16, 32, 2), (32, 32, 1), (32, 48, 1), (48, 64, 1), (64, 64, 1)]
    model = nn.Sequential(*(cls(*each) for each in widths))
    told = failing(model, torch.randn(2, 8, 32, 32))
    assert best(told) == (code, "forward")
    assert reason(told).startswith("it adds its shortcut where input and output are of different shapes")
    with told.fixes[0].applied(model):
        assert model(torch.randn(2, 8, 32, 32)).shape == (2, 64, 8, 8)


def test_conditions() -> None:
    first = Inverted.forward.__code__.co_firstlineno
    lines = {line: linecache.getline(__file__, line).strip() for line in (first + 1, first + 2)}
    found = guard_at(Span(__file__, first + 2, lines[first + 2], "Inverted.forward"))
    assert found is not None and found.test == "self.residual"
    assert guard_at(Span(__file__, first + 1, lines[first + 1], "Inverted.forward")) is None
    assert Guard("if a or b:", "a or b").narrowed("c") == "if (a or b) and c:"
    assert Guard("elif a:", "a").narrowed("c") == "elif a and c:"


# The last batch


class Letters(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.rnn, self.head = nn.Embedding(9, 4), nn.LSTM(4, 6, batch_first=True), nn.Linear(6, 9)

    def forward(self, x: torch.Tensor, state: Any) -> Any:
        out, state = self.rnn(self.embed(x), state)
        return self.head(out), state

    def start(self, count: int) -> Any:
        return torch.zeros(1, count, 6), torch.zeros(1, count, 6)


def loader() -> DataLoader[Any]:
    tokens = TensorDataset(torch.randint(0, 9, (22, 5)))
    batches = DataLoader(tokens, batch_size=8)
    assert len(batches) == 3
    return batches


def one_state() -> None:
    model = Letters()
    state = model.start(8)
    for (x,) in loader():
        _, state = model(x, state)


def state_of_each_batch() -> None:
    model = Letters()
    for (x,) in loader():
        state = model.start(8)
        _, state = model(x, state)


@pytest.mark.parametrize(
    ("run", "code", "verified"),
    [
        (one_state, "batches = DataLoader(tokens, batch_size=8, drop_last=True)", None),
        (state_of_each_batch, "state = model.start(x.size(0))", "forward"),
    ],
)
def test_a_state_of_another_batch(run: Callable[[], None], code: str, verified: str | None) -> None:
    told = failing(run)
    assert best(told) == (code, verified)
    of_line = "the state is made for 8 samples, and the call is given 6"
    assert reason(told) == (of_line if verified else "the state is one of 8 samples, and this batch has 6")
    assert "axis 1 of the state is 8 long, where 6 fits" in told.explanation


# Steps


class Writer(nn.Module):
    def __init__(self, copies: bool) -> None:
        super().__init__()
        self.embed, self.head, self.copies = nn.Embedding(11, 6), nn.Linear(6, 11), copies

    def forward(self, tokens: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        scores = self.head(self.embed(tokens))[:, :-1]
        following = labels.contiguous()
        return nn.functional.cross_entropy(scores.reshape(-1, 11), following.view(-1))


def test_labels_that_are_not_shifted() -> None:
    tokens = torch.randint(0, 11, (3, 8))
    told = failing(Writer(True), tokens, tokens.clone())
    assert best(told) == ("following = labels[:, 1:].contiguous()", "forward")
    assert reason(told) == "the labels are those of every step, and each is to answer for the step before it"
    assert "That is 3 x 7 and 3 x 8" in told.explanation


# Weights of the program's own


class Actor(nn.Module):
    def __init__(self, states: int, actions: int) -> None:
        super().__init__()
        self.mean = nn.Linear(states, actions)
        self.deviation = nn.Parameter(torch.zeros(1, states))

    def act(self, states: torch.Tensor) -> torch.Tensor:
        mean = self.mean(states)
        return self.deviation.expand_as(mean)


def test_a_weight_that_is_repeated_is_of_another_width() -> None:
    told = failing(lambda: Actor(9, 4).act(torch.randn(5, 9)))
    assert told.fixes[0].code == "self.deviation = nn.Parameter(torch.zeros(1, 4))"
    assert told.cause is not None
    assert (told.cause.layer, told.cause.reason) == (
        "self.deviation",
        "self.deviation is [1, 9], and axis 1 would have to be 4",
    )


def test_the_rank_of_adapters() -> None:
    """All that differs are adapters: their rank is the first cause, not a number of columns."""
    lines = [
        f"size mismatch for b.{n}.lora_{x}.weight: copying a param with shape torch.Size([{a}, {b}]) from "
        f"checkpoint, the shape in current model is torch.Size([{c}, {d}])."
        for n in range(2)
        for x, a, b, c, d in (("A", 8, 32, 4, 32), ("B", 32, 8, 32, 4))
    ]
    told = shapewatch.explain("RuntimeError: Error(s) in loading state_dict for Net:\n\t" + "\n\t".join(lines))
    assert told is not None
    assert told.suspects[0].cause.startswith("the adapter's rank")


# Sizes and axes that a forward writes down


class Conditioned(nn.Module):
    """Maps of the label are repeated to a size that is written down."""

    def __init__(self) -> None:
        super().__init__()
        self.label, self.conv = nn.Embedding(10, 6), nn.Conv2d(7, 4, 3)

    def forward(self, images: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
        maps = self.label(kinds)[:, :, None, None]
        maps = maps.expand(-1, -1, 28, 28)
        return self.conv(torch.cat([images, maps], 1))


def test_a_repetition_to_sizes_that_are_written_down() -> None:
    told = failing(Conditioned(), torch.randn(2, 1, 32, 32), torch.zeros(2, dtype=torch.long))
    assert best(told) == ("maps = maps.expand(-1, -1, 32, 32)  # shape was (-1, -1, 28, 28)", "forward")


class Patches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.decode = nn.Linear(8, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask = torch.rand(x.shape[0], x.shape[1]).argsort(1) > 3
        loss = (self.decode(x) - 1.0) ** 2
        return (loss * mask).mean()


def test_a_mask_of_the_leading_axes() -> None:
    assert best(failing(Patches(), torch.randn(4, 16, 8))) == ("mask = mask[:, :, None]", "forward")


class Hints(nn.Module):
    """The lists are shifted against each other."""

    def forward(self, ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> Any:
        total = torch.zeros(())
        for one, other in zip(ours, theirs, strict=True):
            total = total + (one - other.detach()).pow(2).mean()
        return total


class Students(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.rows = nn.ModuleList(nn.Conv2d(8 * 2**i, 16 * 2**i, 3, 2, 1) for i in range(3))
        self.hints = Hints()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = [self.stem(x)]
        for row in self.rows:
            maps.append(row(maps[-1]))
        return self.hints(maps[1:], maps[:-1])


def test_lists_that_do_not_go_together_get_no_projections() -> None:
    told = failing(Students(), torch.randn(2, 3, 16, 16))
    assert not told.fixes
    assert told.explanation.endswith("each time with other sizes: the lists do not go together.")


# Packed sequences


class Reading(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.gru = nn.Embedding(20, 6), nn.GRU(6, 5, batch_first=True)

    def forward(self, tokens: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(self.embed(tokens), lengths, batch_first=True)
        states, _ = nn.utils.rnn.pad_packed_sequence(self.gru(packed)[0], batch_first=True)
        return states.mean(-1).masked_fill(tokens == 0, -1e9)


def test_what_is_unpacked_is_as_long_as_the_longest_sequence() -> None:
    told = failing(Reading(), torch.randint(1, 20, (4, 12)), torch.tensor([9, 7, 5, 3]))
    assert told.fixes[0].code == (
        "states, _ = nn.utils.rnn.pad_packed_sequence("
        "self.gru(packed)[0], batch_first=True, total_length=tokens.size(1))"
    )
    assert reason(told) == "it gives as many steps as the longest sequence of the batch has, and 12 are met"


class Heads(nn.Module):
    """Scores of maps of several sizes, in rows of a class more than the layers give."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.ModuleList(nn.Conv2d(8, 8, 3, 2, 1) for _ in range(3))
        self.scores = nn.ModuleList(nn.Conv2d(8, each * 20, 3, padding=1) for each in (4, 6, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = []
        for row, score in zip(self.rows, self.scores, strict=True):
            x = row(x)
            found.append(score(x).permute(0, 2, 3, 1).flatten(1))
        return torch.cat(found, 1).view(x.shape[0], -1, 21)


def test_channels_that_are_no_rows_are_not_asked_for() -> None:
    told = failing(Heads(), torch.randn(2, 8, 32, 32))
    asked = [edit for fix in told.fixes for edit in fix.changes if isinstance(edit, Set)]
    assert not [edit for edit in asked if edit.layer.startswith("rows")], "no channels of theirs are rows"
    assert all(edit.value % 21 == 0 for edit in asked if edit.argument == "out_channels")


class Upwards(nn.Module):
    """Each transposed convolution gives a place more than twice as many."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.rows = nn.MaxPool2d(2), nn.ModuleList()
        self.ups = nn.ModuleList()
        for given, width in ((3, 8), (8, 16), (16, 32)):
            self.rows.append(nn.Conv2d(given, width, 3, padding=1))
        for width in (16, 8):
            self.ups.append(nn.ConvTranspose2d(2 * width, width, kernel_size=3, stride=2))
            self.ups.append(nn.Conv2d(2 * width, width, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for row in self.rows[:2]:
            x = row(x)
            skips.append(x)
            x = self.pool(x)
        x = self.rows[2](x)
        for at in range(0, len(self.ups), 2):
            x = self.ups[at](x)
            x = self.ups[at + 1](torch.cat([x, skips[-1 - at // 2]], 1))
        return x


def test_transposed_convolutions_that_one_line_makes() -> None:
    told = failing(Upwards(), torch.randn(2, 3, 16, 16))
    changed = {(edit.layer, edit.argument, edit.value) for edit in told.fixes[0].changes if isinstance(edit, Set)}
    assert changed == {("ups.0", "kernel_size", (2, 2)), ("ups.2", "kernel_size", (2, 2))}
    assert told.fixes[0].verified == "forward"
    assert told.cause is not None and told.cause.location is not None
    assert (told.cause.location.source or "").startswith("self.ups.append(nn.ConvTranspose2d(")


# A line that several convolutions share


def convolved(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return torch.relu(nn.functional.conv2d(x, weight, padding=0))


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = (nn.Parameter(torch.ones(4, 4, 3, 3)) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + convolved(convolved(x, self.one), self.two)


def test_a_line_is_changed_each_time_that_it_runs() -> None:
    """With a padding of 2 for one of both it would fit, but the line is that of both."""
    told = failing(Shared(), torch.randn(2, 4, 16, 16))
    assert not [fix.code for fix in told.fixes if fix.code.startswith("return torch.relu(")]


def test_an_argument_that_is_missing_is_no_size() -> None:
    with pytest.raises(TypeError), (session := shapewatch.watch()):
        convolved(torch.randn(2, 4, 16, 16))  # type: ignore[call-arg]
    assert not session.report.diagnoses


class Stretched(nn.Module):
    def forward(self, x: torch.Tensor, size: int) -> torch.Tensor:
        return x[:size]


def test_an_argument_that_is_missing_is_no_size_of_a_layer() -> None:
    with pytest.raises(TypeError, match="size"), (session := shapewatch.watch()):
        nn.Sequential(nn.Linear(1, 1), Stretched())(torch.randn(1, 1))
    assert not session.report.diagnoses
