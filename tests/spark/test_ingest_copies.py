"""Rows equal in their whole key are copies, whatever else a sieve lets through by chance."""

import numpy as np
import pytest
from pyspark.sql import SparkSession

from segspark.ingest.books.lines import STAGED_ROW, copied_lines
from segspark.ingest.parsing.rows import REASONS
from segspark.tables import sieve
from tests.builders import table
from tests.purchases import values


@pytest.mark.parametrize("lets_all_through", [False, True])
def test_only_rows_of_one_batch_and_one_line_are_copies(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, *, lets_all_through: bool
) -> None:
    if lets_all_through:
        monkeypatch.setattr(sieve, "_words", lambda *_: np.array([-1]))
    staged = table(
        spark,
        f"batch_id string, line_id string, {STAGED_ROW} long, {REASONS} array<string>",
        ("monday", "a", 1, []),
        ("monday", "b", 2, []),
        ("monday", "a", 3, []),
        ("tuesday", "a", 4, []),
        ("monday", "a", 5, ["refused"]),
    )

    with copied_lines(staged) as copies:
        found = values(copies, STAGED_ROW, "copies_count")

    assert sorted(found) == [(1, 2), (3, None)]
