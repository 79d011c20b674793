"""What the tests of the tables of messages share: to raise an example, and to compare its sizes with those read."""

from __future__ import annotations

import ast
import math
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from shapewatch.messages.nouns import Reading, Template
from shapewatch.messages.tables import found

PLACES = frozenset({"axis", "left_axis", "right_axis", "index", "entry", "operand"})
"""Facts that say where, or count from zero; -1 is the last axis. They are compared one by one, where that matters."""


def raised(code: str, names: Mapping[str, Any]) -> str:
    with warnings.catch_warnings(), pytest.raises(Exception) as error:
        warnings.simplefilter("ignore")
        exec(code, dict(names))
    return str(error.value)


def name(template: Template) -> str:
    return f"{template.fault} {template.text[:60]}"


def raised_by(table: Iterable[Template]) -> list[Template]:
    return [template for template in table if template.example]


def of_other_releases(table: Iterable[Template]) -> list[Template]:
    return [template for template in table if not template.example]


def check_example(
    template: Template,
    names: Mapping[str, Any],
    computed: Iterable[int] = (),
    places: frozenset[str] = PLACES,
) -> tuple[Reading, str]:
    """The installed framework raises it, this template finds it, and the sizes are those of the code. What was read,
    and of which message."""
    message = raised(template.example, names)
    readings = found(message)
    assert template in [reading.template for reading in readings]
    assert readings[0].template is template
    assert sizes_of(readings[0], places) <= sizes_in(template.example) | {*computed}
    return readings[0], message


def check_seen(template: Template, places: frozenset[str] = PLACES) -> Reading:
    """A message in the wording of another release is found by this template, with sizes that stand in it."""
    assert template.release, "say which release words it so"
    readings = found(template.seen)
    assert readings and readings[0].template is template
    stand = {int(number) for pattern in (r"\d+", r"-\d+") for number in re.findall(pattern, template.seen)}
    assert sizes_of(readings[0], places) <= stand
    return readings[0]


def names_are_whole(reading: Reading, message: str) -> bool:
    """Whether no name that was read is a part of a longer one."""
    told = [value for fact, value in reading.facts.items() if isinstance(value, str)]
    read = [value for value in told if value and value not in reading.template.facts.values()]
    whole = " ".join(message.split())
    return all(re.search(rf"(?<!\w){re.escape(' '.join(name.split()))}(?!\w)", whole) for name in read)


def sizes_of(reading: Reading, places: frozenset[str] = PLACES) -> set[int]:
    told = {fact: value for fact, value in reading.facts.items() if fact not in reading.template.facts}
    return {size for fact, value in told.items() if fact not in places for size in _flat(value)}


def _flat(value: Any) -> list[int]:
    if isinstance(value, tuple):
        return [size for each in value for size in _flat(each)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def sizes_in(code: str) -> set[int]:
    """The numbers that code names, how many of them stand together (a rank), and their products (a count)."""
    sizes: set[int] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            sizes.update({int(node.value), -int(node.value)})
        together = (
            node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple | ast.List) else []
        )
        numbers = [each.value for each in together if isinstance(each, ast.Constant) and isinstance(each.value, int)]
        sizes.update({len(together), len(numbers), math.prod(numbers)})
    return sizes
