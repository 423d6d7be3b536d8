"""What the benchmarks share: a command's seconds and its highest memory."""

import subprocess
import sys
import time
from pathlib import Path


def say(text: str) -> None:
    """Print a line at once, so that a log of hours can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command to its end; its output goes to the error stream.

    Returns:
        Seconds, and the highest memory in MB of it and of the processes below it, each at its own
        highest.

    Raises:
        SystemExit: It failed.
    """
    started, peak = time.monotonic(), 0.0
    with subprocess.Popen(command, stdout=sys.stderr) as process:
        while process.poll() is None:
            peak = max(peak, highest_mb(process.pid))
            time.sleep(0.25)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.monotonic() - started, peak


def highest_mb(pid: int, *, generations: int | None = None) -> float:
    """Highest memory so far of a process and those below it, as Linux tells it.

    Args:
        pid: The process.
        generations: How far below it; None: all.
    """
    children: dict[int, list[int]] = {}
    sizes: dict[int, float] = {}
    spaces: dict[int, str] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
        except OSError:
            continue
        number = int(fields["Pid"])
        children.setdefault(int(fields["PPid"]), []).append(number)
        sizes[number] = int(fields.get("VmHWM", "0 kB").split()[0]) / 1024
        spaces[number] = fields.get("VmSize", "")
    wanted, total = [(pid, "", 0)], 0.0
    while wanted:
        current, above, age = wanted.pop()
        # A process that is just being forked still is its parent, memory and all.
        if spaces.get(current) != above:
            total += sizes.get(current, 0.0)
        if generations is None or age < generations:
            space = spaces.get(current, "")
            wanted += [(child, space, age + 1) for child in children.get(current, [])]
    return total
