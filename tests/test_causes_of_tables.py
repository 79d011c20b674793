"""Tables of embeddings whose rows or widths differ, in the messages with which weights are loaded, set and assigned.

The texts are made up here, of numbers that are drawn; none is a report's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.suspects import explained, first, suspected

from shapewatch.messages.faults import sizes, vocabularies, weights

MESSAGES: Mapping[str, Callable[[int, int, int], str]] = {
    "torch": lambda saved, built, width: (
        f"size mismatch for text.embedding.weight: copying a param with shape torch.Size([{saved}, {width}]) from "
        f"checkpoint, the shape in current model is torch.Size([{built}, {width}])."
    ),
    "keras, set": lambda saved, built, width: (
        f"ValueError: Layer weight shape ({built}, {width}) not compatible with provided weight shape ({saved}, "
        f"{width})"
    ),
    "keras, named": lambda saved, built, width: (
        f"ValueError: Layer embedding_1 weight shape ({built}, {width}) is not compatible with provided weight shape "
        f"({saved}, {width})."
    ),
    "keras, assigned": lambda saved, built, width: (
        f"ValueError: Cannot assign value to variable ' embedding/embeddings:0': Shape mismatch.The variable shape "
        f"({built}, {width}), and the assigned value shape ({saved}, {width}) are incompatible."
    ),
    "tensorflow": lambda saved, built, width: (
        f"Assign requires shapes of both tensors to match. lhs shape= [{built},{width}] rhs shape= [{saved},{width}]\n"
        '\t [[Node: save/Assign_3 = Assign[T=DT_FLOAT, _class=["loc:@decoder/embedding"], use_locking=true]]]'
    ),
    "tensorflow, restored": lambda saved, built, width: (
        f"Received incompatible tensor with shape ({saved}, {width}) when attempting to restore variable with shape "
        f"({built}, {width}) and name embedding/embeddings."
    ),
}

ENTRIES = st.integers(1100, 90_000).filter(lambda rows: rows % 32)


@pytest.mark.parametrize("message", MESSAGES)
@given(rows=ENTRIES, more=st.integers(300, 5000), width=st.sampled_from([50, 100, 192, 300]))
def test_another_vocabulary(message: str, rows: int, more: int, width: int) -> None:
    assume(sizes.same_maps(rows, rows + more) is None)  # these may be two flattened maps as well
    text = MESSAGES[message](rows + more, rows, width)
    assert first(text) == vocabularies.OTHER_VOCABULARY.cause
    assert not suspected(text, vocabularies.COUNTED_APART) and not suspected(text, vocabularies.EMPTY_VOCABULARY)


@pytest.mark.parametrize("message", MESSAGES)
@given(rows=ENTRIES, more=st.sampled_from([-2, -1, 1, 2]))
def test_a_few_entries_are_counted_in_one_alone(message: str, rows: int, more: int) -> None:
    text = MESSAGES[message](rows + more, rows, 100)
    assert suspected(text, vocabularies.COUNTED_APART) and suspected(text, vocabularies.OTHER_VOCABULARY)
    assert explained(text).cause is None


@pytest.mark.parametrize("message", MESSAGES)
def test_a_vocabulary_without_entries(message: str) -> None:
    assert first(MESSAGES[message](0, 7000, 50)) == vocabularies.EMPTY_VOCABULARY.cause


def test_vectors_in_the_place_of_a_table() -> None:
    text = "ValueError: Layer weight shape (28000, 512) not compatible with provided weight shape (1, 21, 512)"
    assert first(text) == vocabularies.VECTORS_FOR_TABLE.cause


def test_word_vectors_of_another_width() -> None:
    text = "ValueError: Layer embedding weight shape (7001, 64) not compatible with provided weight shape (7001, 200)."
    assert suspected(text, vocabularies.OTHER_VECTORS)
    wide = text.replace("64)", "4096)").replace("200)", "5120)")
    assert not suspected(wide, vocabularies.OTHER_VECTORS)


@pytest.mark.parametrize("name", ["fc", "head.fc", "class_embed", "time_embed.0", "patch_embed.norm", "query_embed"])
def test_other_layers_are_no_vocabularies(name: str) -> None:
    assert not vocabularies.is_vocabulary(f"{name}.weight")


@pytest.mark.parametrize(
    "name", ["enc_p.emb.weight", "embedding/embeddings:0", "transformer.wte.weight", "lm_head.weight"]
)
def test_names_of_vocabularies(name: str) -> None:
    assert vocabularies.is_vocabulary(name)


def test_flattened_maps_are_no_vocabularies() -> None:
    text = "ValueError: Layer weight shape (12544, 128) not compatible with provided weight shape (3136, 128)"
    assert not suspected(text, vocabularies.OTHER_VOCABULARY)


def test_weights_that_are_set_come_from_no_checkpoint() -> None:
    headline = explained(MESSAGES["keras, named"](4001, 4000, 50)).headline
    assert (
        headline
        == "the given weights do not fit the model: embedding_1 is [4001, 50] as given and [4000, 50] in the model"
    )


def test_a_variable_is_told_with_the_layer_it_is_of() -> None:
    text = (
        "ValueError: Cannot assign value to variable ' dense_3/kernel:0': Shape mismatch.The variable shape (64, 7), "
        "and the assigned value shape (64, 5) are incompatible."
    )
    assert "dense_3/kernel:0 is [64, 5]" in explained(text).headline and suspected(text, weights.OTHER_CLASSES)
