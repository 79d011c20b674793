"""Explains shape errors in neural networks: which layer is to blame, why, and what to write instead."""

from __future__ import annotations

from shapewatch.flow.junctions import Branch, Junction
from shapewatch.report import Cause, Diagnosis, Fix, Report
from shapewatch.watching import Session, check, explain, watch

__version__ = "0.1.0"

__all__ = [
    "Branch",
    "Cause",
    "Diagnosis",
    "Fix",
    "Junction",
    "Report",
    "Session",
    "check",
    "explain",
    "watch",
]
