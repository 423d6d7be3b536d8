"""Typed rows on disk between parsing and the lake, so that each is read and parsed once."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.ingest.books.lines import STAGED_ROW, numbered
from segspark.ingest.parsing.implied import implied_columns
from segspark.ingest.reading.row_files import literal_address
from segspark.pipeline.intake import Intake

_READ_WHOLE = {
    "compression": "none",
    "parquet.enable.dictionary#line_id": "false",
    f"parquet.enable.dictionary#{STAGED_ROW}": "false",
    "parquet.column.statistics.enabled": "false",
    "parquet.size.statistics.enabled": "false",
}
"""Nobody looks up single rows of what is staged, and it is gone soon; few ids of lines repeat."""


def stage_rows(parsed: DataFrame, place: str, *, implied: Mapping[str, Column]) -> DataFrame:
    """Write typed rows and read them again.

    Args:
        parsed: From `parse_rows`.
        place: Address of the folder to write.
        implied: From `implied_by`; these columns are not written.

    Returns:
        The rows as `numbered` gives them, in any order; what is not implied may be NULL, as far as
        the schema tells.
    """
    rows = parsed.transform(numbered)
    stored = rows.drop(*implied)
    stored.write.mode("overwrite").options(**_READ_WHOLE).parquet(place)
    staged = parsed.sparkSession.read.schema(stored.schema).parquet(literal_address(place))
    return staged.withColumns(dict(implied)).select(*rows.columns)


def implied_by(intake: Intake, *, currency: str) -> dict[str, Column]:
    """Columns of an intake's rows that are the same in all of them, or a copy of another one.

    Args:
        intake: What is taken in.
        currency: The lake's.

    Returns:
        Column → its value in every row.
    """
    found = implied_columns(intake.source, name=intake.name, currency=currency)
    if len(intake.batches) == 1:
        found["batch_id"] = F.lit(intake.batches[0].batch_id)
        if len(intake.files) == 1:
            found["file_name"] = F.lit(intake.files[0].name)
    return found
