"""Loggers by topic, so that a reader of the log can follow one room of the house."""

from __future__ import annotations

import logging
import sys


def topic(name: str) -> logging.Logger:
    """The logger of one topic, such as `jobs` or `formats`."""
    return logging.getLogger(f"inspector.{name}")


def to_stderr(level: int = logging.WARNING) -> None:
    """Send the log to stderr; called once by a process's entry point."""
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")
