"""Few keys are told to every task, and text sooner counts as many than numbers do."""

import pytest
from pyspark.sql import SparkSession

from segspark.tables import telling
from segspark.tables.telling import told
from tests.builders import table


@pytest.mark.parametrize(
    ("kind", "keys", "is_told"),
    [
        ("long", (1, 2, 3), True),
        ("long", (1, 2, 3, 4), False),
        ("string", ("a", "b"), True),
        ("string", ("a", "b", "c"), False),
    ],
)
def test_keys_are_told_up_to_the_limit_of_their_kind(
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    keys: tuple[object, ...],
    *,
    is_told: bool,
) -> None:
    monkeypatch.setattr(telling, "_MOST_NUMBERS", 3)
    monkeypatch.setattr(telling, "_MOST_TEXTS", 2)

    with told(table(spark, f"key {kind}", *((key,) for key in keys))) as found:
        found.keys.explain(extended=True)

    assert found.count == len(keys)
    assert ("strategy=broadcast" in capsys.readouterr().out) == is_told
