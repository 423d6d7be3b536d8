"""The campaigns of the demo become one table, once."""

from pathlib import Path

import pyarrow.parquet as pq

from scripts.join_campaigns import join_campaigns


def test_campaigns_that_are_joined_already_are_left_as_they_are(tmp_path: Path) -> None:
    target = tmp_path / "lakes" / "campaigns.parquet"
    join_campaigns(target)
    first = target.stat()
    join_campaigns(target)
    assert target.stat().st_mtime_ns == first.st_mtime_ns
    assert target.stat().st_ino == first.st_ino


def test_a_file_of_campaigns_that_is_cut_or_older_is_made_anew(tmp_path: Path) -> None:
    target = tmp_path / "campaigns.parquet"
    join_campaigns(target)
    whole = pq.read_table(target)
    target.write_bytes(target.read_bytes()[:100])
    join_campaigns(target)
    assert pq.read_table(target).equals(whole)
    pq.write_table(whole.slice(1), target)
    join_campaigns(target)
    assert pq.read_table(target).equals(whole)
    assert [path.name for path in tmp_path.iterdir()] == ["campaigns.parquet"]
