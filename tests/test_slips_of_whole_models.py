"""Slips whose repair is several changes of one line, or stands behind an index; and what is said where none is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import shapewatch
from tests.support.told import failing


class Residual(nn.Module):
    def __init__(self, kernel: int, dilation: int) -> None:
        super().__init__()
        self.one = nn.Conv1d(6, 6, kernel, dilation=dilation)
        self.gate = nn.Conv1d(6, 6, kernel, dilation=dilation)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.tanh(self.one(x)) * torch.sigmoid(self.gate(x))


class Conditioned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.both, self.last = nn.Conv2d(3, 8, 3), nn.Linear(5, 8), nn.Conv2d(8, 3, 1)

    def forward(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        scale, shift = self.both(z)[:, :, None, None].chunk(2, dim=1)
        return self.last(self.stem(x) * scale + shift)


@pytest.mark.parametrize(("kernel", "value"), [(3, 1), (2, "same")])
def test_all_convolutions_of_a_branch_keep_the_size(kernel: int, value: object) -> None:
    model = nn.Sequential(Residual(kernel, 1), Residual(kernel, 1))
    (fix, *_) = failing(model, torch.randn(2, 6, 40)).fixes
    assert fix.verified == "forward"
    found = {edit["layer"]: edit["value"] for edit in fix.edit["edits"]}
    assert found == dict.fromkeys(("0.one", "0.gate", "1.one", "1.gate"), value)


def test_a_margin_that_is_cropped_on_purpose_is_left_alone() -> None:
    class Cropping(Residual):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.one(x)
            return x[..., -y.size(-1) :] + y

    with shapewatch.watch() as session:
        Cropping(2, 1)(torch.randn(2, 6, 40))
    assert session.report.diagnoses == ()


def test_a_width_is_followed_through_an_index_that_adds_axes() -> None:
    told = failing(Conditioned(), torch.randn(2, 3, 9, 9), torch.randn(2, 5))
    assert told.cause is not None and told.cause.layer == "both"
    assert 16 in [fix.edit["value"] for fix in told.fixes if fix.edit["layer"] == "both" and fix.verified == "forward"]


def test_a_mask_of_scores_for_another_length() -> None:
    attention = nn.MultiheadAttention(8, 2, batch_first=True)
    x = torch.randn(3, 9, 8)
    told = failing(attention, x, x, x, attn_mask=torch.zeros(12, 12))
    assert told.code == "SW103" and "12 queries and 12 keys, and there are 9 and 9" in told.headline


def test_a_state_of_another_batch() -> None:
    told = failing(nn.GRU(4, 6, batch_first=True), torch.randn(2, 5, 4), torch.zeros(1, 8, 6))
    assert "one of 8 samples" in told.explanation


class Valid(nn.Module):
    """A U-Net of one level without padding."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        self.low = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU())
        self.up, self.last = nn.ConvTranspose2d(16, 8, 2, stride=2), nn.Conv2d(16, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skip = self.down(x)
        return self.last(torch.cat([skip, self.up(self.low(skip))], 1))


def test_a_skip_beside_convolutions_without_padding() -> None:
    told = failing(Valid(), torch.ones(1, 3, 42, 42))
    padded, cropped = told.fixes
    assert [edit["layer"] for edit in padded.edit["edits"]] == ["low.1", "low.3"]
    assert padded.verified == cropped.verified == "forward" and "crop `skip`" in cropped.title


class Dense(nn.Module):
    def __init__(self, width: int, growth: int) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(width), nn.Conv2d(width, growth, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(torch.relu(self.norm(x)))], 1)


class DenseNet(nn.Module):
    """`step` is what the width is thought to grow by; it grows by 6."""

    def __init__(self, step: int, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 10, 1)
        self.blocks = nn.ModuleList([Dense(10 + number * step, 6) for number in range(blocks)])
        self.head = nn.Linear(10 + blocks * 6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


@pytest.mark.parametrize("blocks", [2, 3, 11])
def test_a_width_that_is_counted_wrongly_from_block_to_block_is_one_fault(blocks: int) -> None:
    told = failing(DenseNet(10, blocks), torch.ones(2, 3, 8, 8))
    assert told.cause is not None and told.cause.layer == "blocks.1" and "20, and 16 come" in told.cause.reason
    fix = told.fixes[0]
    assert fix.verified == "forward" and fix.output_shape == (2, 2)
    given = {edit["layer"]: edit["value"] for edit in fix.edit["edits"]}
    widths = {f"blocks.{number}.{part}": 10 + 6 * number for number in range(1, blocks) for part in ("norm", "conv")}
    assert given == widths


def test_a_label_that_is_looked_up_and_joined_with_vectors() -> None:
    class Conditional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.labels, self.out = nn.Embedding(10, 5), nn.Linear(14, 3)

        def forward(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return self.out(torch.cat([z, self.labels(y)], 1))

    told = failing(Conditional(), torch.ones(4, 9), torch.zeros(4, 1, dtype=torch.long))
    assert told.fixes[0].verified == "forward"
    assert told.fixes[0].code == "return self.out(torch.cat([z, self.labels(y).flatten(1)], 1))"


class Siamese(nn.Module):
    """Made for pictures of 32 x 32: 8 channels x 5 x 5 are left of them."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.pool = nn.Conv2d(1, 4, 5), nn.Conv2d(4, 8, 5), nn.MaxPool2d(2)
        self.out = nn.Linear(8 * 5 * 5, 6)

    def seen(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.pool(self.two(self.pool(self.one(x)))).flatten(1))

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (self.seen(a) - self.seen(b)).abs()


def test_two_pictures_that_are_compared_are_both_of_another_size() -> None:
    told = failing(Siamese(), torch.ones(3, 1, 28, 28), torch.ones(3, 1, 28, 28))
    width, both, *_ = told.fixes  # sides that are said in numbers, `8 * 5 * 5`, are mostly those of another program
    assert [(edit["index"], edit["shape"]) for edit in both.edit["edits"]] == [(0, (3, 1, 32, 32)), (1, (3, 1, 32, 32))]
    assert (width.edit["layer"], width.edit["value"]) == ("out", 128)
    assert both.verified == width.verified == "forward"
    assert not any(fix.edit.get("argument") == "out_channels" for fix in told.fixes)


class DenseLayer(nn.Module):
    def __init__(self, features: int, growth: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(features)
        self.conv = nn.Conv2d(features, growth, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(torch.relu(self.norm(x)))], 1)


class OneByOne(nn.Module):
    """Each block is counted in a line of its own, so that each wrong number is a slip of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.one = DenseLayer(16, 12)
        self.two = DenseLayer(32, 12)
        self.three = DenseLayer(48, 12)
        self.head = nn.Linear(52, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.three(self.two(self.one(self.stem(x)))).mean((2, 3)))


def test_widths_written_on_lines_of_their_own_are_faults_of_their_own() -> None:
    model = OneByOne()
    session = shapewatch.watch(model)
    with pytest.raises(RuntimeError), session:
        model(torch.randn(2, 3, 32, 32))
    blamed = [told.cause.layer for told in session.report.diagnoses if told.cause]
    assert [layer.partition(".")[0] for layer in blamed if layer] == ["two", "three"]


class Windows(nn.Module):
    """Several windows over the words of a text."""

    def __init__(self, *kernels: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(30, 16)
        self.convs = nn.ModuleList(nn.Conv1d(16, 8, kernel) for kernel in kernels)
        self.last = nn.Linear(8 * len(kernels), 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        return self.last(torch.cat([conv(x).amax(2) for conv in self.convs], dim=1))


def test_an_order_is_mended_for_all_that_take_the_same() -> None:
    model, tokens = Windows(2, 3, 4), torch.randint(0, 30, (5, 11))
    told = failing(model, tokens)
    (fix, *_) = told.fixes
    assert (fix.verified, fix.code) == ("forward", "x = self.embed(tokens).transpose(1, 2)")
    assert told.cause is not None and told.cause.layer == "embed"
    with fix.applied(model):
        assert model(tokens).shape == (5, 2)


class TwoWindows(nn.Module):
    """The same, without a list, and averaged over one axis too many: a second fault behind the first."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(30, 16)
        self.two, self.three = nn.Conv1d(16, 8, 2), nn.Conv1d(16, 8, 3)
        self.last = nn.Linear(16, 2)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        x = self.embed(tokens)
        x = torch.cat([self.two(x).amax(2), self.three(x).amax(2)], 1)
        return self.last(x.mean(1))


def test_an_input_is_not_asked_to_be_as_large_as_a_layer_is_wide() -> None:
    """With 16 words the channels are 16 by chance, and with a batch of 16 the features are."""
    model = TwoWindows()
    session = shapewatch.watch(model)
    with pytest.raises(RuntimeError), session:
        model(torch.randint(0, 30, (5, 11)))
    order, mean = session.report.diagnoses
    assert order.fixes[0].code is not None and order.fixes[0].code.count(".transpose(1, 2)") == 2
    assert (mean.code, mean.fixes, mean.cause) == ("SW102", (), None)


class AttentionGate(nn.Module):
    """The gate of an attention U-Net: one value for each place of a map that has half of them."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.one = nn.Conv2d(6, 4, 1, stride=2), nn.Conv2d(4, 1, 1)

    def forward(self, skip: torch.Tensor) -> torch.Tensor:
        gate = torch.sigmoid(self.one(torch.relu(self.down(skip))))
        return skip * gate


def test_a_coarse_gate_is_brought_to_what_it_gates() -> None:
    model = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), AttentionGate())
    found = failing(model, torch.randn(2, 3, 16, 12)).fixes
    assert (found[0].verified, found[0].code) == (
        "forward",
        "return skip * nn.functional.interpolate(gate, size=skip.shape[2:])",
    )
    # of a map that has shrunk to one place, a gate is stretched to whatever it meets
    assert not any(fix.edit["action"] == "input" for fix in found)


def test_a_coarse_gate_of_all_channels_may_have_gone_in_steps() -> None:
    gate = AttentionGate()
    gate.one = nn.Conv2d(4, 6, 1)
    fixes = failing(nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), gate), torch.randn(2, 3, 16, 12)).fixes
    assert [(fix.verified, fix.code) for fix in fixes] == [
        ("forward", "return skip * nn.functional.interpolate(gate, size=skip.shape[2:])"),
        ("forward", "self.down = nn.Conv2d(6, 4, kernel_size=1)  # stride was 2"),
    ]


class PooledGate(nn.Module):
    """What gates has half the size of what it gates, all along."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.one = nn.MaxPool2d(2), nn.Conv2d(6, 6, 1)

    def forward(self, skip: torch.Tensor) -> torch.Tensor:
        return skip * self.one(self.pool(skip))


def test_a_map_is_not_shrunk_to_one_place_so_that_it_is_stretched() -> None:
    """Neither by an image of 2 x 2 nor by a pooling over 9 of 16 places nor by a stride."""
    model = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), PooledGate())
    fixes = failing(model, torch.randn(2, 3, 16, 16)).fixes
    assert fixes and not any(fix.edit["action"] in ("input", "set", "all") for fix in fixes)


class Captions(nn.Module):
    """A decoder with a causal mask, which PyTorch reads to choose a kernel."""

    def __init__(self, memory: int, last: int) -> None:
        super().__init__()
        self.embed, self.see = nn.Embedding(20, 8), nn.Linear(5, memory)
        layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)
        self.decode, self.last = nn.TransformerDecoder(layer, 2), nn.Linear(last, 20)

    def forward(self, image: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.size(1))
        return self.last(self.decode(self.embed(tokens), self.see(image), tgt_mask=mask))


def test_a_memory_of_another_width_than_the_decoder() -> None:
    told = failing(Captions(12, 8), torch.randn(2, 7, 5), torch.randint(0, 20, (2, 6)))
    assert told.code == "SW103" and told.headline.endswith("takes keys and values of 8 and is given 12")
    assert (told.fixes[0].verified, told.fixes[0].code) == (
        "forward",
        "self.see = nn.Linear(5, 8)  # out_features was 12",
    )


def test_a_mask_is_not_read_on_shapes_alone() -> None:
    (fix, *_) = failing(Captions(8, 9), torch.randn(2, 7, 5), torch.randint(0, 20, (2, 6))).fixes
    assert (fix.verified, fix.code) == ("forward", "self.last = nn.Linear(8, 20)  # in_features was 9")


def test_keys_of_a_width_of_their_own() -> None:
    class Cross(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend = nn.MultiheadAttention(8, 2, kdim=12, batch_first=True)

        def forward(self, x: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
            y, _ = self.attend(x, keys, x)
            return y

    told = failing(Cross(), torch.randn(2, 5, 8), torch.randn(2, 5, 10))
    assert told.headline == "attend takes keys of 12 and is given 10"
    assert "nn.MultiheadAttention(8, 2, kdim=10, batch_first=True)" in told.fixes[0].code


class Block(nn.Module):
    """Its first convolution has lost the padding that its second one has."""

    def __init__(self, given: int, gives: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(given, gives, 3), nn.ReLU(), nn.Conv2d(gives, gives, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(x)


class TwoLevels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = Block(3, 8), Block(8, 16), Block(16, 32)
        self.up_two, self.up_one = nn.ConvTranspose2d(32, 16, 2, 2), nn.ConvTranspose2d(16, 8, 2, 2)
        self.back_two, self.back_one = Block(32, 16), Block(16, 8)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        one = self.one(x)
        two = self.two(self.pool(one))
        three = self.three(self.pool(two))
        two = self.back_two(torch.cat([self.up_two(three), two], 1))
        return self.back_one(torch.cat([self.up_one(two), one], 1))


def test_a_padding_that_a_block_has_lost_is_given_back_wherever_the_block_is_used() -> None:
    """Behind the fork alone it would not do: the map before it is odd since an earlier block cut it."""
    model, image = TwoLevels(), torch.randn(2, 3, 60, 40)
    told = failing(model, image)
    (fix, *_) = told.fixes
    assert (fix.verified, fix.output_shape) == ("forward", (2, 8, 60, 40))
    assert {edit["layer"] for edit in fix.edit["edits"]} == {
        f"{block}.body.0" for block in ("one", "two", "three", "back_two", "back_one")
    }
    with fix.applied(model):
        assert model(image).shape == (2, 8, 60, 40)
