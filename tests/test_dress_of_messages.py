"""Every template is found in its message however that is typed: other brackets, other spaces, no quotes or commas.

The messages are the templates' own, with sizes and names put into their holes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pytest
from support.suspects import explained

from shapewatch.messages.pasted import errors_of
from shapewatch.messages.tables import patterns
from shapewatch.messages.traceback import shown

FILLING = {
    "n": "7",
    "axis": "1",
    "shape": "[12, 13, 14]",
    "row": "12,13,14",
    "shapes": "[12, 13, 14], [15, 16]",
    "word": "head/kernel",
    "scope": "head/",
    "serial": "_1",
    "text": "one two",
    "lines": "one\ntwo",
}


def filled(text: str) -> str:
    return re.sub(r"\{\w+:([\w|]+)\}", lambda hole: FILLING.get(hole[1]) or hole[1].split("|")[0], text)


TEMPLATES = [pattern.template for pattern in patterns()]
MESSAGES = [filled(each.text) for each in TEMPLATES if not each.beside and not each.unless_fits]


def shapes(write: Callable[[list[str]], str]) -> Callable[[str], str]:
    return lambda text: re.sub(r"\[(1[25](?:, 1\d)+)\]", lambda found: write(found[1].split(", ")), text)


def quoted(mark: str) -> Callable[[str], str]:
    """Shapes that stand by themselves, in quotes."""
    return lambda text: re.sub(r"(?<= )\[(1[25](?:, 1\d)+)\](?=[ ,.]|$)(?!, \[)", rf"{mark}(\1){mark}", text)


DRESS: Mapping[str, Callable[[str], str]] = {
    "tuples": shapes(lambda sizes: f"({', '.join(sizes)})"),
    "one axis": shapes(lambda sizes: f"({sizes[0]},)"),
    "unknown sizes": shapes(lambda sizes: f"(?,{','.join(sizes[1:])})"),
    "None": shapes(lambda sizes: f"(None, {', '.join(sizes[1:])})"),
    "asterisks": shapes(lambda sizes: f"({'*'.join(sizes)})"),
    "crosses": shapes(lambda sizes: f"[{' x '.join(sizes)}]"),
    "torch.Size": shapes(lambda sizes: f"torch.Size ([{','.join(sizes)}])"),
    "TensorShape": shapes(lambda sizes: f"tf.TensorShape([{', '.join(sizes)}])"),
    "Dimension": shapes(lambda sizes: f"TensorShape([{', '.join(f'Dimension({size})' for size in sizes)}])"),
    "backticks": quoted("`"),
    "quotes": quoted("'"),
    "capitals": str.upper,
    "a space before colons": lambda text: re.sub(r"(\w): ", r"\1 :", text),
    "no space after colons": lambda text: re.sub(r"(\w): ", r"\1:", text),
    "a space before commas": lambda text: re.sub(r"(\w|\]), ", r"\1 , ", text),
    "a space before parentheses": lambda text: re.sub(r"(\w)\(", r"\1 (", text),
    "spaces in parentheses": lambda text: re.sub(r"\(([^()]*)\)", r"( \1 )", text),
    "spaces round equals": lambda text: re.sub(r"(\w)=(\S)", r"\1 = \2", text),
    "no quotes": lambda text: re.sub(r"(?<=\s)['\"`](?=\w)|(?<=\w)['\"`](?=\s)", "", text),
    "no apostrophes": lambda text: text.replace("n't ", "nt "),
    "two words": lambda text: text.replace("cannot", "can not"),
    "no hyphens": lambda text: re.sub(r"(?<=[a-z])(?<!kernel)-(?=[a-z])", " ", text),
    "two spaces": lambda text: text.replace(" ", "  "),
}


def faults_in(message: str) -> set[str]:
    return {reading.fault for error in errors_of(f"ValueError: {message}") for reading in error.readings}


@pytest.mark.parametrize("dress", DRESS)
def test_a_message_is_read_in_any_dress(dress: str) -> None:
    worn = {message: DRESS[dress](message) for message in MESSAGES}
    changed = {message: other for message, other in worn.items() if other != message}
    unread = [other for message, other in changed.items() if not faults_in(message) & faults_in(other)]
    assert len(changed) > 3 and not unread


@pytest.mark.parametrize(
    ("text", "headline"),
    [
        (
            "Given input size :(64*30*28).Calculated output size:(64*1*0).Output size is too small",
            "a convolution or pooling over [64, 30, 28] would give [64, 1, 0], an axis of no size",
        ),
        (
            "the size of tensor a(12) must match the size of tensor b(9) at non singleton dimension 3",
            "two tensors meet element by element and differ on axis 3: 12 against 9",
        ),
        (
            "Given groups=1 weight of size torch.Size([8, 3, 5, 5]) expected input torch.Size([2, 4, 30, 30]) to have "
            "3 channels but got 4 channels instead",
            "a convolution takes 3 channels, and its input [2, 4, 30, 30] has 4",
        ),
        (
            "logits and labels must have the same shape, received ((None, 9, 1) vs (None,)).",
            "output [?, 9, 1] and target [?] do not have the shapes that the loss needs",
        ),
        (  # as TensorFlow.js words it
            "Error when checking target: expected dense_Dense3 to have shape [,2], but got array with shape [9,5].",
            "output [?, 2] and target [9, 5] do not have the shapes that the loss needs",
        ),
        (
            "Error when checking input: expected lstm_LSTM1_input to have 3 dimension(s). but got array with shape 9,5",
            "layer lstm_LSTM1_input takes a value with 3 axes, and one with 2 axes comes, shape [9, 5]",
        ),
        (
            "Cannot feed value of shape (9, 1, 30, 30) for Tensor `conv_input:0`, which has shape `(12, 1, 30, 30)`",
            "input conv_input:0 is declared as [12, 1, 30, 30] and is fed [9, 1, 30, 30]",
        ),
        (  # without its beginning, as it is retold
            "expected axis -1 of input shape to have value 9, but received input with shape (None, 7)",
            "the layer takes 9 features on axis -1, and 7 come",
        ),
        (
            "expected shape=(None, 30, 30, 1), found shape=(None, 32, 32, 1)",
            "the model's input is declared as [?, 30, 30, 1] and is fed [?, 32, 32, 1]",
        ),
        ("Incompatible shapes (4, 6) vs (4, 5)", "[4, 6] and [4, 5] meet element by element and do not fit"),
    ],
)
def test_sizes_are_read_in_any_dress(text: str, headline: str) -> None:
    assert explained(text).headline.startswith(headline)


def test_what_a_hole_takes_ends_at_its_own_mark() -> None:
    (error,) = errors_of('RuntimeError: Missing key(s) in state_dict: "encoder.first.weight".')
    assert error.reading.facts["missing"] == "encoder.first.weight"


def frames_of(text: str) -> list[tuple[int | None, str]]:
    return [(frame.line, frame.source) for raised in shown(text).exceptions for frame in raised.frames]


@pytest.mark.parametrize("message", ["Incompatible shapes: [25] vs. [9]", "Cannot reshape a tensor with 12 elements"])
def test_a_message_right_behind_a_frame_without_its_source(message: str) -> None:
    text = f'File "train.py", line 9, in step\n{message}'
    assert frames_of(text) == [(9, "")] and shown(text).messages.endswith(message)
    code = f'File "train.py", line 9, in step\nloss = mse(out, labels)\nValueError: {message}'
    assert frames_of(code) == [(9, "loss = mse(out, labels)")]
