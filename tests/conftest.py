from __future__ import annotations

import golden
import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(golden.OPTION, action="store_true", help="write the golden files anew instead of comparing")
