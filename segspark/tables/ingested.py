"""What every ingested table shares, and the books and quality of what came in."""

from pyspark.sql import types as T

from segspark.tables.contract import LINE_MONEY, MONEY, Column, TableContract

BATCH_ID = Column("batch_id", T.StringType(), "Ingested content: hash of its bytes and its source.")
SOURCE = Column("source", T.StringType(), "Name of the source in the configuration.")
LINE_ID = Column("line_id", T.StringType(), "Hash of every column of the source's row.")
FLAGS = Column(
    "flags", T.ArrayType(T.StringType()), "Names of the rules of severity `flag` that it breaks."
)
COPIES = Column("copies_count", T.LongType(), "How often the source held this very row; >= 1.")


def rejected(kept: TableContract) -> TableContract:
    """The table of rows that were refused for `kept`."""
    return TableContract(
        name=f"rejected_{kept.name}",
        meaning=f"One input row that was refused for `{kept.name}`, as it came.",
        grain=("batch_id", "file_name", "raw_row"),
        columns=(
            BATCH_ID,
            SOURCE,
            Column(
                "rejected_id",
                T.StringType(),
                "Hash of source, file and row: what a replayed row refers to.",
            ),
            Column("file_name", T.StringType(), "File that held the row."),
            Column(
                "raw_row",
                T.StringType(),
                "The row as it came: JSON of its columns, or the line's text where it has others.",
                personal=True,
            ),
            Column(
                "reasons",
                T.ArrayType(T.StringType()),
                "Every reason, such as 'transaction_at: not a date or time'.",
            ),
            Column(
                "line_amount", LINE_MONEY, "Money of the row where it could be read.", nullable=True
            ),
            COPIES,
        ),
    )


INGEST_BATCHES = TableContract(
    name="ingest_batches",
    meaning="One ingested content: a file, all files of a folder, a table, or replayed rows; "
    "in = kept + duplicate + rejected, in rows and in money.",
    grain=("batch_id",),
    columns=(
        BATCH_ID,
        SOURCE,
        Column("entity", T.StringType(), "transactions, customers, products or events."),
        Column("source_hash", T.StringType(), "Hash of the source's settings."),
        Column("content_hash", T.StringType(), "Hash of the bytes, unpacked."),
        Column("file_name", T.StringType(), "Name of the file below the source's folder."),
        Column(
            "delivered_at",
            T.TimestampType(),
            "When the file was last written, or the table was read, UTC: later days are refused.",
        ),
        Column(
            "batch_number",
            T.LongType(),
            "Order in which the lake took its batches in, from 1; no clock has a say in it.",
        ),
        Column(
            "replaced_batch_numbers",
            T.MapType(T.StringType(), T.LongType()),
            "Batches whose place it took → its number then: one with a lower number no longer "
            "counts.",
        ),
        Column(
            "watermark",
            T.StringType(),
            "Highest value of the source's watermark column that was taken, as text.",
            nullable=True,
        ),
        Column(
            "replays_batch_id",
            T.StringType(),
            "Batch whose refused rows, repaired, are this one's rows; it counts while that counts.",
            nullable=True,
        ),
        Column(
            "currency",
            T.StringType(),
            "ISO 4217 code of the amounts: the lake's; NULL without money.",
            nullable=True,
        ),
        Column("in_row_count", T.LongType(), "Rows that came in."),
        Column("kept_row_count", T.LongType(), "Rows of the entity's table."),
        Column("duplicate_row_count", T.LongType(), "Further copies of kept rows."),
        Column("rejected_row_count", T.LongType(), "Rows of the table of refused rows."),
        Column("guest_row_count", T.LongType(), "Kept rows without a customer."),
        Column("in_amount", MONEY, "Money of all rows whose money could be read; 0 without money."),
        Column("kept_amount", MONEY, "Money of the kept rows."),
        Column("duplicate_amount", MONEY, "Money of the further copies."),
        Column("rejected_amount", MONEY, "Money of the refused rows, where it could be read."),
        Column(
            "replayed_amount",
            MONEY,
            "Of replayed rows: their money in the books of the batch that refused them; else 0.",
        ),
        Column(
            "rule_row_counts",
            T.MapType(T.StringType(), T.LongType()),
            "Rule → rows that break it, copies counted: the source's own by name, others in words.",
        ),
        Column("first_date", T.DateType(), "Earliest kept day.", nullable=True),
        Column("last_date", T.DateType(), "Latest kept day.", nullable=True),
        Column("ingested_at", T.TimestampType(), "When the batch was written, UTC."),
    ),
)

INGEST_REPLAYS = TableContract(
    name="ingest_replays",
    meaning="One refused row that was repaired and taken in again.",
    grain=("batch_id", "rejected_id"),
    columns=(
        BATCH_ID,
        SOURCE,
        Column("rejected_id", T.StringType(), "The refused row, in the batch that was replayed."),
        Column("copies_count", T.LongType(), "How many input rows it stands for."),
    ),
)

INGEST_FILES = TableContract(
    name="ingest_files",
    meaning="One file as it was last taken in: it is not read again while it is the same, and "
    "renamed or not, its next content replaces this one.",
    grain=("source", "label"),
    columns=(
        SOURCE,
        Column("label", T.StringType(), "Path below the source's folder."),
        Column("format_hash", T.StringType(), "Hash of the format that it was inspected under."),
        Column("fingerprint", T.StringType(), "Size, times and other marks of the file."),
        Column(
            "contents",
            T.ArrayType(
                T.StructType(
                    [
                        T.StructField("member", T.StringType()),
                        T.StructField("packing", T.StringType()),
                        T.StructField("content_hash", T.StringType()),
                        T.StructField("taken_as", T.StringType()),
                    ]
                )
            ),
            "What it holds: member of an archive, packing, hash of the unpacked bytes, content "
            "hash of the batch that holds its rows.",
        ),
    ),
)

INGEST_QUALITY = TableContract(
    name="ingest_quality",
    meaning="One figure of a batch, and what was usual in the batches of its source before.",
    grain=("batch_id", "metric", "column_name"),
    columns=(
        BATCH_ID,
        SOURCE,
        Column(
            "metric",
            T.StringType(),
            "rows; volume (median rows a day, by weekday); completeness, share and refused (shares "
            "of rows); distinct (estimated to 2 %); mean, mean_error (its standard error); least; "
            "most; new_values (share of rows with values that no earlier batch has); columns.",
        ),
        Column(
            "column_name",
            T.StringType(),
            "Column or condition that it is about; the weekday for volume; empty for the whole "
            "batch.",
        ),
        Column("value", T.DoubleType(), "The figure; NULL where it has none.", nullable=True),
        Column(
            "text_value",
            T.StringType(),
            "Least and most days; JSON of values with their rows (new_values) or names (columns).",
            nullable=True,
        ),
        Column("usual_low", T.DoubleType(), "Lower end of what is usual.", nullable=True),
        Column("usual_high", T.DoubleType(), "Upper end of what is usual.", nullable=True),
        Column("history_batch_count", T.LongType(), "Earlier batches that say what is usual."),
        Column("is_alarm", T.BooleanType(), "Whether the figure is outside of what is usual."),
    ),
)
