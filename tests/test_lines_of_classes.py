"""The line that makes a layer in each instance of a class, and sizes that lack what the program has a name for."""

from __future__ import annotations

import torch
from torch import nn

from tests.support.told import best, failing, reason


class Block(nn.Module):
    """Its shortcut does not go at the pace of its first convolution."""

    def __init__(self, given: int, width: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(given, width, 3, stride=stride, padding=1)
        self.shortcut = nn.Sequential()
        if given != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(given, width, kernel_size=1),
                nn.BatchNorm2d(width),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x) + self.shortcut(x)


class Gate(nn.Module):
    """What it is given of the two differs by a factor of 2 in each instance."""

    def __init__(self, fine: int, coarse: int) -> None:
        super().__init__()
        self.of_fine = nn.Conv2d(fine, 4, 1)
        self.of_coarse = nn.Conv2d(coarse, 4, 1)

    def forward(self, fine: torch.Tensor, coarse: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.of_fine(fine) + self.of_coarse(coarse))


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(2)
        self.one, self.other = Gate(3, 3), Gate(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        half = self.pool(x)
        return self.one(x, half).sum() + self.other(half, self.pool(half)).sum()


def test_what_a_neighbour_says_in_each_instance() -> None:
    net = nn.Sequential(Block(3, 8), Block(8, 16, 2), Block(16, 32, 2))
    told = failing(net, torch.randn(2, 3, 16, 16))
    code = (
        "self.shortcut = nn.Sequential(\n    nn.Conv2d(given, width, kernel_size=1, stride=stride),\n"
        "    nn.BatchNorm2d(width),\n)  # stride was 1"
    )
    assert best(told) == (code, "forward")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.line == Block.__init__.__code__.co_firstlineno + 5


def test_a_number_for_all_instances() -> None:
    told = failing(Gated(), torch.randn(2, 3, 16, 16))
    assert best(told) == ("self.of_fine = nn.Conv2d(fine, 4, 1, stride=2)  # stride was 1", "forward")


def test_one_instance_that_needs_what_no_neighbour_says() -> None:
    class Mixed(Gated):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            half = self.pool(x)
            return self.one(x, half).sum() + self.other(half, half).sum()

    told = failing(Mixed(), torch.randn(2, 3, 16, 16))
    assert not told.fixes or not told.fixes[0].code.startswith("self.of_fine")


class Told(nn.Module):
    """It is told how wide its second convolution is."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(width, width, 3, padding=1)
        self.other = nn.Conv2d(width, inner, 3, padding=1)
        self.scale = nn.Parameter(torch.ones(inner, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.other(torch.relu(self.one(x))) * self.scale.mean()


def test_one_instance_that_is_told_another_size() -> None:
    net = nn.Sequential(Told(4, 4), Told(4, 6), Told(4, 4))
    told = failing(net, torch.randn(2, 4, 8, 8))
    assert told.cause is not None and told.cause.layer == "1.other"
    assert "self.other" not in told.fixes[0].code


class Heads(nn.Module):
    def __init__(self, given: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.width = heads, width
        self.count = heads
        self.fc = nn.Linear(given, heads * width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.fc(x).view(len(x), self.heads, self.width))
        return y.reshape(len(x), self.count * self.width)


class HeadsLast(nn.Module):
    """The same the other way round."""

    def __init__(self, given: int, width: int, heads: int) -> None:
        super().__init__()
        self.times, self.size = heads, width
        self.fc = nn.Linear(given, heads * width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.fc(x).view(len(x), self.times, self.size))
        return y.reshape(len(x), self.size * self.times)


class TwoOfHeadsLast(nn.Module):
    def __init__(self, given: int, width: int, classes: int, settings: dict[str, int]) -> None:
        super().__init__()
        heads = settings["heads"]
        self.first = HeadsLast(given, width, heads)
        self.second = HeadsLast(width, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))


class TwoOfHeads(nn.Module):
    def __init__(self, given: int, width: int, classes: int, settings: dict[str, int]) -> None:
        super().__init__()
        heads = settings["heads"]
        self.first = Heads(given, width, heads)
        self.second = Heads(width, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x))


class OfTwoDirections(nn.Module):
    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(5, width, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _, (last, _) = self.rnn(x)
        return self.fc(torch.cat([last[0], last[1]], dim=1))


class Conditioned(nn.Module):
    def __init__(self, settings: dict[str, int]) -> None:
        super().__init__()
        self.embed = nn.Embedding(settings["classes"], settings["classes"])
        self.noise = nn.Linear(settings["noise"], settings["noise"])
        self.fc = nn.Linear(settings["noise"], 9)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.cat([self.noise(x), self.embed(labels)], dim=1))


class Fused(nn.Module):
    def __init__(self, settings: dict[str, int]) -> None:
        super().__init__()
        self.of_image = nn.Linear(settings["image"], settings["shared"])
        self.of_text = nn.Linear(settings["text"], settings["text"])
        self.gate = nn.Linear(settings["image"], settings["shared"])

    def forward(self, image: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.gate(image)) * self.of_image(image) + self.of_text(words)


def test_heads_that_are_laid_together() -> None:
    told = failing(TwoOfHeads(7, 5, 4, {"heads": 3}), torch.randn(2, 7))
    assert best(told) == ("self.second = Heads(width * heads, classes, 1)  # given was 5, 15 now", "forward")


class Double(nn.Module):
    def __init__(self, given: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(given, width, 3, 1, 1), nn.BatchNorm2d(width), nn.Conv2d(width, width, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class Pyramid(nn.Module):
    """Its decoder joins two maps in each turn, and is made for one of them."""

    def __init__(self, widths: tuple[int, ...] = (4, 8, 16)) -> None:
        super().__init__()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        given = 3
        for width in widths:
            self.downs.append(Double(given, width))
            given = width
        self.bottom = Double(given, given * 2)
        for width in reversed(widths):
            self.ups.append(nn.ConvTranspose2d(width * 2, width, 2, 2))
            self.ups.append(Double(width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
            x = nn.functional.max_pool2d(x, 2)
        x = self.bottom(x)
        for at in range(0, len(self.ups), 2):
            x = torch.cat((skips.pop(), self.ups[at](x)), dim=1)
            x = self.ups[at + 1](x)
        return x


def test_a_line_of_a_loop() -> None:
    told = failing(Pyramid(), torch.randn(2, 3, 16, 16))
    assert best(told) == ("self.ups.append(Double(width * 2, width))  # given was 16, 8 and 4", "forward")
    assert told.cause is not None and told.cause.location is not None
    assert told.cause.location.source == "self.ups.append(Double(width, width))"


def test_two_directions() -> None:
    told = failing(OfTwoDirections(6, 3), torch.randn(2, 4, 5))
    assert best(told) == ("self.fc = nn.Linear(width * 2, classes)  # in_features was 6, 12 now", "forward")


def test_what_was_joined_to_it() -> None:
    net = Conditioned({"noise": 8, "classes": 5})
    told = failing(net, torch.randn(2, 8), torch.tensor([0, 1]))
    code = 'self.fc = nn.Linear(settings["noise"] + settings["classes"], 9)  # in_features was 8, 13 now'
    assert best(told) == (code, "forward")


def test_a_width_that_its_neighbours_have_a_name_for() -> None:
    told = failing(Fused({"image": 7, "text": 5, "shared": 6}), torch.randn(2, 7), torch.randn(2, 5))
    code = 'self.of_text = nn.Linear(settings["text"], settings["shared"])  # out_features was 5, 6 now'
    assert best(told) == (code, "forward")
    assert reason(told) == "out_features is 5, where 6 fits"


def test_which_of_two_factors_lacks_is_told_by_the_other() -> None:
    told = failing(TwoOfHeadsLast(7, 5, 4, {"heads": 3}), torch.randn(2, 7))
    assert best(told) == ("self.second = HeadsLast(width * heads, classes, 1)  # given was 5, 15 now", "forward")


def test_a_name_that_is_not_known_yet() -> None:
    class Later(Fused):
        def __init__(self, settings: dict[str, int]) -> None:
            super().__init__(settings)
            self.of_text = nn.Linear(settings["text"], settings["text"])
            common = settings["shared"]
            self.of_image = nn.Linear(settings["image"], common)
            self.gate = nn.Linear(settings["image"], common)

    told = failing(Later({"image": 7, "text": 5, "shared": 6}), torch.randn(2, 7), torch.randn(2, 5))
    assert told.fixes[0].code.startswith('self.of_text = nn.Linear(settings["text"], 6)')


def test_two_names_of_one_width() -> None:
    class Twice(Fused):
        def __init__(self, settings: dict[str, int]) -> None:
            super().__init__(settings)
            self.gate = nn.Linear(settings["image"], settings["other"])
            self.of_image = nn.Linear(settings["image"], settings["shared"])
            self.of_text = nn.Linear(settings["text"], settings["text"])

    net = Twice({"image": 7, "text": 5, "shared": 6, "other": 6})
    told = failing(net, torch.randn(2, 7), torch.randn(2, 5))
    assert told.fixes[0].code.startswith('self.of_text = nn.Linear(settings["text"], 6)')
