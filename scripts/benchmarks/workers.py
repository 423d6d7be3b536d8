"""Processes that stay up between measurements: what is measured is work, not a start."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scripts.benchmarks.measuring import highest_mb


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that answers a line of JSON with another.

    Attributes:
        module: What it runs.
        process: With text pipes for standard input and output.
    """

    module: str
    process: subprocess.Popen[str]

    def ask(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Have a command done.

        Raises:
            SystemExit: The process ended instead of answering.
        """
        if self.process.stdin is None:
            raise SystemExit("a worker without a pipe")
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line that the process writes; the same errors as `ask`."""
        line = self.process.stdout.readline() if self.process.stdout else ""
        if not line:
            raise SystemExit(f"{self.module} failed")
        found: dict[str, Any] = json.loads(line)
        return found

    @property
    def peak_mb(self) -> float:
        """Highest memory so far of the process and those below it."""
        return highest_mb(self.process.pid)

    @property
    def driver_peak_mb(self) -> float:
        """The same of a Spark driver: Python and Java, which here runs the tasks as well."""
        return highest_mb(self.process.pid, generations=1)


@contextmanager
def worker(module: str, *arguments: str) -> Iterator[Worker]:
    """A running worker that is ready; it ends with the context."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        found = Worker(module, process)
        found.answer()
        yield found
        if process.stdin is not None:
            process.stdin.close()


def serve(answer_of: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """The worker's own side: say that it is ready, then answer line by line till there are none."""
    _write_line({"ready": True})
    for line in sys.stdin:
        _write_line(answer_of(json.loads(line)))


def _write_line(found: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
