import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from py4j.protocol import Py4JError

from segspark.errors import StorageError
from segspark.tables.locks import engine_lock, table_lock

_HOLDER = """
import sys
from pathlib import Path
from segspark.tables.locks import table_lock
with table_lock(Path(sys.argv[1]), "visits"):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def other_process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock of `visits`."""
    words = [sys.executable, "-c", _HOLDER, str(folder)]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def waits(folder: Path, table: str) -> tuple[threading.Thread, threading.Event]:
    """A thread that takes the lock, and the event that it has it."""
    held = threading.Event()

    def take() -> None:
        with table_lock(folder, table):
            held.set()

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    return thread, held


def test_a_writer_waits_for_the_one_before_and_goes_on_when_that_is_killed(tmp_path: Path) -> None:
    with other_process(tmp_path) as process:
        thread, held = waits(tmp_path, "visits")
        assert not held.wait(0.3)

        process.kill()
        assert held.wait(10)
        thread.join()


def test_two_threads_of_one_process_wait_for_each_other(tmp_path: Path) -> None:
    with table_lock(tmp_path, "visits"):
        thread, held = waits(tmp_path, "visits")
        assert not held.wait(0.2)

    assert held.wait(10)
    thread.join()


def test_writers_of_different_tables_do_not_wait(tmp_path: Path) -> None:
    with table_lock(tmp_path, "visits"):
        _, held = waits(tmp_path, "customers")

        assert held.wait(10)


def test_the_lock_goes_when_the_write_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), table_lock(tmp_path, "visits"):
        _ = 1 / 0

    _, held = waits(tmp_path, "visits")
    assert held.wait(10)


def test_a_lake_elsewhere_needs_no_lock_here() -> None:
    with table_lock(None, "visits"), table_lock(None, "visits"):
        pass


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(StorageError, match="check its owner and free space"),
        table_lock(tmp_path / "file" / "locks", "visits"),
    ):
        pass


def test_a_file_that_java_cannot_lock_is_closed_and_a_sentence(tmp_path: Path) -> None:
    java, spark = MagicMock(), MagicMock()
    spark.configure_mock(_jvm=java)
    opened = java.java.io.RandomAccessFile.return_value
    opened.getChannel.return_value.lock.side_effect = Py4JError("no locks available")

    with (
        pytest.raises(StorageError, match=r"locking .*visits\.lock"),
        engine_lock(spark, tmp_path, "visits"),
    ):
        pass

    # All locks of a process on a file go when it closes one of its handles, whenever that is.
    opened.close.assert_called_once()
