from threading import Event

import pytest

from segspark.errors import StorageError
from segspark.pipeline.booking import _write_side_by_side


def test_tables_are_written_side_by_side() -> None:
    is_small_written = Event()

    def large() -> None:
        assert is_small_written.wait(10), "the small one waited for the large one"

    _write_side_by_side([large, is_small_written.set])


def test_where_writes_fail_the_others_end_and_the_first_failure_is_told() -> None:
    has_failed, is_written = Event(), Event()

    def second() -> None:
        has_failed.set()
        raise StorageError("the second table")

    def third() -> None:
        raise StorageError("the third table")

    def first() -> None:
        assert has_failed.wait(10)
        is_written.set()

    with pytest.raises(StorageError, match="the second table"):
        _write_side_by_side([first, second, third])

    assert is_written.is_set()
