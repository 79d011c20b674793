"""A report as JSON."""

from __future__ import annotations

import re

from shapewatch.report import Report

_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
"""What JSON allows in a string and a terminal acts on, or UTF-8 has no bytes for."""


def as_json(report: Report) -> str:
    """`Report.to_dict` as indented JSON, with escapes for characters that cannot be seen."""
    return visible(report.to_json())


def visible(text: str) -> str:
    """JSON that means the same and in which every character can be seen."""
    return _UNSEEN.sub(lambda character: f"\\u{ord(character[0]):04x}", text)
