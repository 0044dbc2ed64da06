"""A progress bar on stderr, drawn only where a person looks at it."""

from __future__ import annotations

import shutil
import sys

from ._results import Progress
from ._say import amount

WIDTH = 24


class Bar:
    """Called with every Progress; `clear` before anything else is printed."""

    def __init__(self, wanted: bool) -> None:
        self._on = wanted and sys.stderr.isatty()
        self._drawn = False

    def __call__(self, where: Progress) -> None:
        if not self._on:
            return
        columns = shutil.get_terminal_size().columns
        sys.stderr.write("\r\x1b[K" + draw(where)[: max(columns - 1, 20)])
        sys.stderr.flush()
        self._drawn = True

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False


def draw(where: Progress) -> str:
    fraction = where.fraction
    if fraction is None:
        bar = "." * WIDTH
        share = "    "
    else:
        full = int(fraction * WIDTH)
        bar = "#" * full + "." * (WIDTH - full)
        share = f"{int(fraction * 100):3d}%"
    parts = [f"[{bar}] {share}", where.phase, where.collection, f"{where.documents} documents", amount(where.bytes)]
    return " ".join(part for part in parts if part)
