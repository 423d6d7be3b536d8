"""Whatever files come, change, go back and are renamed, what counts is never lost nor doubled."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import Row

from segspark.ingest.books.batches import Books, new_batches, source_hash
from segspark.ingest.books.counting import counting_batches, followers
from tests.purchases import source

NAMES, CONTENTS = ("a.csv", "b.csv", "c.csv"), ("1", "2", "3", "4", "5")
SOURCE = source(changed_file="replace")
HASHES = {"shop": source_hash("shop", SOURCE, currency="EUR")}


@dataclass
class Lake:
    """`ingest_batches` and `ingest_files` as ingests leave them, without Spark."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    taken_as: dict[str, list[str]] = field(default_factory=dict)

    def counting(self) -> list[Row]:
        return counting_batches(self._all(), HASHES)

    def books(self) -> Books:
        found = sorted(self.counting(), key=lambda row: int(row["batch_number"]))
        booked_as: dict[str, list[str]] = {}
        for row in found:
            booked_as.setdefault(row["file_name"], []).append(row["content_hash"])
        batch_ids = {row["content_hash"]: row["batch_id"] for row in found}
        return Books(batch_ids, booked_as, self.taken_as, followers(self._all()))

    def _all(self) -> list[Row]:
        return [Row(**row) for row in self.rows.values()]

    def ingest(self, files: dict[str, str]) -> None:
        """Take in files, given as name → content."""
        contents: dict[str, list[str]] = {}
        for name, content in files.items():
            contents.setdefault(content, []).append(name)
        for batch in new_batches("shop", SOURCE, contents, self.books(), currency="EUR"):
            number = 1 + max((r["batch_number"] for r in self.rows.values()), default=0)
            before = self.rows.get(batch.batch_id, {"replaced_batch_numbers": {}})
            self.rows[batch.batch_id] = {
                "batch_id": batch.batch_id,
                "source": "shop",
                "source_hash": HASHES["shop"],
                "content_hash": batch.content_hash,
                "file_name": batch.name,
                "batch_number": number,
                "replaced_batch_numbers": {
                    **before["replaced_batch_numbers"],
                    **dict.fromkeys(batch.replaces, number),
                },
                "replays_batch_id": None,
            }
        self.taken_as |= {name: [content] for name, content in files.items()}


def counted(lake: Lake) -> list[str]:
    return sorted(row["content_hash"] for row in lake.counting())


def test_a_file_that_goes_back_to_a_content_does_not_bring_back_what_that_had_replaced() -> None:
    lake = Lake()
    for content in "12325":
        lake.ingest({"a.csv": content})
        assert counted(lake) == [content]


@given(st.lists(st.sampled_from(CONTENTS), min_size=1, max_size=12))
def test_of_one_file_the_last_content_counts_and_no_other(contents: list[str]) -> None:
    lake = Lake()
    for content in contents:
        lake.ingest({"a.csv": content})
        assert counted(lake) == [content]


@given(
    st.lists(
        st.dictionaries(st.sampled_from(NAMES), st.sampled_from(CONTENTS)), min_size=1, max_size=8
    )
)
def test_what_counts_is_what_came_less_what_a_new_content_took_the_place_of(
    deliveries: list[dict[str, str]],
) -> None:
    lake, held = Lake(), dict[str, str]()
    expected: set[str] = set()
    for files in deliveries:
        lake.ingest(files)
        for name, content in files.items():
            before = held.get(name)
            is_new, is_gone = content not in expected, before not in files.values()
            if is_new and is_gone and before in expected:
                expected.discard(before)
        expected |= set(files.values())
        held |= files
        assert counted(lake) == sorted(expected)


@given(st.lists(st.sampled_from(CONTENTS), min_size=1, max_size=8, unique=True), st.data())
def test_a_file_that_is_renamed_and_corrected_in_any_order_counts_once(
    contents: list[str], data: st.DataObject
) -> None:
    lake = Lake()
    for content in contents:
        name = data.draw(st.sampled_from(NAMES))
        now = next(iter(counted(lake)), content)
        lake.ingest({name: now})
        lake.ingest({name: content})
        assert counted(lake) == [content]
