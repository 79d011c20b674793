"""Keras on its other backends, JAX and PyTorch.

A process has one backend, so each has processes of its own. One that is not installed fails.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
CASES = Path(__file__).with_name("on_backend")
OPERATIONS = {"jax": "jax_operations.py", "torch": "torch_operations.py"}


def on_backend(backend: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("backend", OPERATIONS)
@pytest.mark.parametrize("cases", ["layers", "operations"])
def test_the_cases_of_a_backend(backend: str, cases: str) -> None:
    file = CASES / ("keras_layers.py" if cases == "layers" else OPERATIONS[backend])
    run = on_backend(backend, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", str(file))
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert "skipped" not in run.stdout and "deselected" not in run.stdout


@cache
def told(backend: str) -> Any:
    """What the script says that has shapewatch explain some programs that fail."""
    run = on_backend(backend, str(CASES / "breaking.py"))
    assert run.returncode == 0, run.stderr[-8000:]
    return json.loads(run.stdout)


@pytest.mark.parametrize("backend", OPERATIONS)
def test_it_says_what_it_says_on_tensorflow(backend: str) -> None:
    expected = told("tensorflow")["said"]
    assert len(expected) > 8 and all("verified" in note for note in expected.values())
    for program, note in told(backend)["said"].items():
        assert note == expected[program], program


@pytest.mark.parametrize("backend", OPERATIONS)
def test_tensorflow_is_not_imported_for_it(backend: str) -> None:
    """Keras would import it on any backend, where it is installed, to write the config of a layer."""
    assert "tensorflow" not in told(backend)["imported"]
