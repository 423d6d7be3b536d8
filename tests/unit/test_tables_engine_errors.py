"""What an engine throws, in one sentence that says what to do where anybody knows."""

import pytest
from py4j.protocol import Py4JError
from pyspark.errors import ArithmeticException, PythonException

from segspark.errors import StageError, StorageError
from segspark.tables.engine_errors import (
    engine_sentence,
    engine_sentences,
    overflow_of,
    storage_advice,
)

TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1, in sum_up\n'
OVERFLOW = "numbers grow beyond what their columns hold: correct what they are worked out from"


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


@pytest.mark.parametrize(
    ("thrown", "advice"),
    [
        (
            "S3Exception: User: arn:aws:iam::123456789012:user/jobs is not authorized to perform: "
            's3:ListBucket on resource: "arn:aws:s3:::shop" because no policy allows '
            "it (Service: S3, Status Code: 403, Request ID: ABC)",
            "access is denied (User: arn:aws:iam::123456789012:user/jobs is not authorized to "
            'perform: s3:ListBucket on resource: "arn:aws:s3:::shop" because no '
            "policy allows it): check the credentials that Spark has, and what they may do",
        ),
        (
            "AccessDeniedException: s3a://shop/a.csv: getFileStatus: S3Exception: "
            "(Service: S3, Status Code: 403, Request ID: ABC)",
            "access is denied: check the credentials that Spark has, and what they may do",
        ),
        (
            "S3Exception: The provided token has expired. (Service: S3, Status Code: 400, "
            "Request ID: ABC)",
            "the credentials that Spark has are no longer valid: get new ones",
        ),
        ("S3Exception: Please reduce your rate. (Service: S3, Status Code: 503)", None),
    ],
)
def test_what_amazon_refuses_is_told_with_what_to_do(thrown: str, advice: str | None) -> None:
    assert storage_advice(Py4JError(thrown)) == advice
