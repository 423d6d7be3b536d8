"""Progress: one line that renews itself on a terminal, plain log lines elsewhere."""

import logging
import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

logger = logging.getLogger("segspark")


@dataclass(slots=True)
class Progress:
    """Says what is going on, with the time since the job began.

    Attributes:
        stream: Where a person may look.
    """

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    _started: float = field(default_factory=time.monotonic)
    _open_line: bool = False

    def step(self, text: str) -> None:
        """A passing state, such as candidate 3 of 18; renewed in place on a terminal."""
        if not self.stream.isatty():
            logger.info("%s", text)
            return
        self.stream.write(f"\r\033[K{self._clock()}  {text}")
        self.stream.flush()
        self._open_line = True

    def say(self, text: str) -> None:
        """A result that stays."""
        if not self.stream.isatty():
            logger.info("%s", text)
            return
        lead = "\r\033[K" if self._open_line else ""
        self.stream.write(f"{lead}{self._clock()}  {text}\n")
        self.stream.flush()
        self._open_line = False

    def _clock(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._started), 60)
        return f"{minutes:02d}:{seconds:02d}"
