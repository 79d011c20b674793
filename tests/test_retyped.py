"""Messages in other words than a framework's: what is read all the same, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.suspects import explained, properties

import shapewatch
from shapewatch.messages.retyped import retyped

MESSAGES = (
    "The size of tensor a (18) must match the size of tensor b (24) at non-singleton dimension 3",
    "Target size (torch.Size([8, 5])) must be the same as input size (torch.Size([8, 6]))",
    "stack expects each tensor to be equal size, but got [3, 224, 224] at entry 0 and [1, 224, 224] at entry 4",
    "Given groups=1, weight of size [64, 3, 7, 7], expected input[2, 1, 64, 64] to have 3 channels, but got 1 channels "
    "instead",
    "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [2, 3, 16, 64, 64]",
    "logits and labels must have the same first dimension, got logits shape [32,10] and labels shape [320]",
    "Input to reshape is a tensor with 1568 values, but the requested shape has 3136",
    "Expected input batch_size (60) to match target batch_size (64).",
)


@properties
@given(st.sampled_from(MESSAGES), st.data())
def test_a_word_is_misspelt_or_left_out(message: str, data: st.DataObject) -> None:
    words = [word for word in message.split() if word.isalpha() and len(word) >= 4]
    word = data.draw(st.sampled_from(words))
    other = data.draw(st.sampled_from(["", word[:-1], word[0] + word[2:], word + "s"]))
    told, known = explained(f"RuntimeError: {message.replace(word, other, 1)}"), explained(f"RuntimeError: {message}")
    assert (told.code, told.headline) == (known.code, known.headline)


@pytest.mark.parametrize(
    ("text", "code", "sizes"),
    [
        ("the sizes of tensor a (18) has to match the size of tensor b (24) at the non singleton dim 3", "SW201", "18"),
        ("stack expected every tensors to be of equal size but got [3, 80, 80] at entry 0, and [1, 80, 80] at entry 2", "SW402", "[1, 80, 80]"),  # noqa: E501
        ("ValueError: target sizes ([4, 7]) must be same as the input sizes ([4, 9]).", "SW801", "[4, 9]"),
        ("Expected 2D (unbatched) or 3D (batched) inputs to conv1d but got the input of size = [5, 1, 2, 400]", "SW701", "[5, 1, 2, 400]"),  # noqa: E501
    ],
)  # fmt: skip
def test_a_message_typed_from_memory(text: str, code: str, sizes: str) -> None:
    told = explained(text)
    assert told.code == code and sizes in told.headline
    remark = told.explanation.splitlines()[-1]
    assert "No framework has quite these words; they were read as `" in remark


def test_what_a_framework_said_itself_has_no_such_remark() -> None:
    assert not any("quite these words" in explained(f"RuntimeError: {message}").explanation for message in MESSAGES)


@pytest.mark.parametrize(
    "text",
    [
        "the size of the image must match the size that is expected in the list",
        "Expected the loss to be the same as before, but got 3.1",
        "We stack each tensor to be of equal size at entry to the network of 4 layers",
        "epoch 4: the input has a batch of 64, and the target the same size as the input",
        "must be the same as input size",
        "Tried to allocate 20 MiB but got an out of memory error for tensor number 3 in the list of sizes",
    ],
)
def test_a_sentence_is_no_message(text: str) -> None:
    assert shapewatch.explain(text) is None


def test_the_last_of_several_counts_and_the_rest_stays() -> None:
    garbled = (
        "RuntimeError: The sizes of tensor a ({}) must matches the size of tensor b (24) at non-singleton dimension 3"
    )
    text = "\n".join(["before", garbled.format(18), "between", garbled.format(12)])
    whole = retyped(text)
    assert whole is not None and whole.splitlines()[:3] == text.splitlines()[:3]
    assert "(12) must match the size" in whole
