"""What an engine throws, in one sentence that says what to do where anybody knows."""

import pytest
from pyspark.errors import ArithmeticException, PythonException

from segspark.errors import StageError, StorageError
from segspark.tables.engine_errors import engine_sentence, engine_sentences, overflow_of

TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1, in sum_up\n'
OVERFLOW = "numbers grow beyond what 64 bits hold: correct what they are worked out from"


def too_large() -> ArithmeticException:
    return ArithmeticException("[ARITHMETIC_OVERFLOW] long overflow.")


@pytest.mark.parametrize(
    ("last_line", "told"),
    [
        ("segspark.errors.StageError: too large: correct it", "too large: correct it"),
        ("KeyError: 'spend'", "KeyError: 'spend'"),
        ("ValueError: a: b", "ValueError: a: b"),
        ("MemoryError", "MemoryError"),
    ],
)
def test_the_kind_of_a_workers_error_is_told_but_of_the_projects_own(
    last_line: str, told: str
) -> None:
    assert engine_sentence(PythonException(f"{TRACE}{last_line}\n")) == told


def test_where_numbers_come_from_is_told_where_it_is_known() -> None:
    with (
        pytest.raises(StorageError, match=f"^writing: {OVERFLOW}, the amounts$"),
        overflow_of("the amounts"),
        engine_sentences("writing"),
    ):
        raise too_large()
    with pytest.raises(StorageError, match=f"^writing: {OVERFLOW}$"), engine_sentences("writing"):
        raise too_large()


def test_other_refusals_are_left_as_they_are() -> None:
    with pytest.raises(StageError, match=r"^no lines$"), overflow_of("the amounts"):
        raise StageError("no lines")
