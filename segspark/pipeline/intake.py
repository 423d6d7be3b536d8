"""Rows on their way into the lake: what is known of them before and after they are counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pyspark.sql import DataFrame, Row

from segspark.ingest.books.batches import Batch
from segspark.ingest.books.tying_out import Delivery
from segspark.ingest.files.contents import Content
from segspark.ingest.files.source_files import SourceFile
from segspark.ingest.files.stores import Store
from segspark.ingest.parsing.rows import ENTITIES, Entity, entity_name
from segspark.ingest.quality.figures import QualityRow
from segspark.settings.sources import Source

INGEST = "ingest"
"""The stage that takes batches in."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """Refused rows that are taken in again.

    Attributes:
        rows: As rows of `ingest_replays`.
        amount: Their money in the books of the batch that refused them.
    """

    rows: DataFrame
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Intake:
    """Raw rows of some batches of one source, about to be taken in.

    Attributes:
        name: The source.
        source: Its settings.
        batches: The batches that the rows belong to.
        contents: Batch id → its content.
        store: Where the files are that the rows are read from; None: there are none.
        history: The source's rows of `ingest_quality`, of the batches that count, in order.
        replayed: Where the rows were refused before; None otherwise.
        rates: Of the source's currencies, from `rates_of`.
    """

    name: str
    source: Source
    batches: Sequence[Batch]
    contents: Mapping[str, Content]
    store: Store | None = None
    history: Sequence[QualityRow | Row] = ()
    replayed: Replayed | None = None
    rates: DataFrame | None = None

    @property
    def entity(self) -> Entity:
        """What the rows are."""
        return ENTITIES[entity_name(self.source)]

    @property
    def batch_ids(self) -> list[str]:
        """Ids of the batches."""
        return [batch.batch_id for batch in self.batches]

    @property
    def files(self) -> list[SourceFile]:
        """The files that the rows are read from."""
        return [file for batch_id in self.batch_ids for file in self.contents[batch_id].files]


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows that are staged and counted, and not yet in the lake.

    Attributes:
        staged: One row per input row, from `stage_rows`.
        copies: From `copied_lines`; None where no row has a copy.
        deliveries: Batch id → what came in.
        quality: Rows of `ingest_quality`.
    """

    staged: DataFrame
    copies: DataFrame | None
    deliveries: Mapping[str, Delivery]
    quality: Sequence[QualityRow]
