"""A report as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from shapewatch.report import Report

_UNSEEN = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
"""What JSON allows in a string and a terminal acts on, or UTF-8 has no bytes for."""


def as_json(report: Report) -> str:
    """`Report.to_dict` as indented JSON, with escapes for characters that cannot be seen."""
    return visible(report.to_json())


def visible(text: str) -> str:
    """JSON that means the same and in which every character can be seen."""
    return _UNSEEN.sub(lambda character: f"\\u{ord(character[0]):04x}", text)


def read_json(text: str | bytes) -> Any:
    """The data of JSON that holds a report. Bytes are UTF-8, or what a byte order mark in front of them says.

    Raises:
        ValueError: it is no JSON; the message says what it is, and where it ends.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if not error.doc.strip():
            raise ValueError("this is no shapewatch report: it is empty") from error
        where = f"line {error.lineno} column {error.colno}"
        if error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated"):
            raise ValueError(f"this is no whole shapewatch report: its JSON ends early, at {where}") from error
        raise ValueError(f"this is no shapewatch report: it is not JSON ({error.msg} at {where})") from error
    except UnicodeDecodeError as error:
        raise ValueError("this is no shapewatch report: it is not JSON but a binary file") from error
    except (RecursionError, ValueError) as error:  # nested without end; a number of thousands of digits
        raise ValueError(f"this is no shapewatch report: its JSON cannot be read ({error})") from error
