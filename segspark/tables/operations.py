"""Tables about the runs themselves: the manifest and the publications."""

from pyspark.sql import types as T

from segspark.tables.contract import Column, TableContract

_COUNTS = T.MapType(T.StringType(), T.LongType())
_TEXTS = T.MapType(T.StringType(), T.StringType())

STAGE_RUNS = TableContract(
    name="stage_runs",
    meaning="One completed stage: its row is written last, so a stage without one is not done.",
    grain=("stage", "stage_id"),
    columns=(
        Column(
            "stage",
            T.StringType(),
            "ingest, ledger, event_ledger, features, lifetime, train, assign or publish.",
        ),
        Column("stage_id", T.StringType(), "Content address of what the stage wrote."),
        Column("segmentation", T.StringType(), "Segmentation it ran for."),
        Column(
            "as_of_date",
            T.DateType(),
            "Last day counted; NULL for ingest and the two ledgers.",
            nullable=True,
        ),
        Column("input_ids", T.ArrayType(T.StringType()), "Ids of the inputs."),
        Column(
            "input_versions",
            _COUNTS,
            "Delta version of each table read, for the reader; never part of an id.",
        ),
        Column("rows_in", _COUNTS, "Rows read, by what they are."),
        Column(
            "rows_out",
            _COUNTS,
            "Rows written, by table; of a ledger, those of the customers and days worked out, also "
            "where they are as before.",
        ),
        Column("config_json", T.StringType(), "The settings that the stage depends on."),
        Column("config_hash", T.StringType(), "SHA-256 of them."),
        Column("engine_versions", _TEXTS, "Versions of segspark, Python, Spark, Delta and Java."),
        Column("audit_json", T.StringType(), "What was checked and found."),
        Column("started_at", T.TimestampType(), "UTC."),
        Column("completed_at", T.TimestampType(), "UTC."),
        Column("elapsed_seconds", T.DoubleType(), "Wall clock."),
    ),
)

PUBLICATIONS = TableContract(
    name="publications",
    meaning="One commit that made a run current; the highest number of a segmentation rules.",
    grain=("segmentation", "publication_number"),
    columns=(
        Column("segmentation", T.StringType(), "What is published."),
        Column("publication_number", T.LongType(), "1, 2, 3 … within the segmentation."),
        Column("published_at", T.TimestampType(), "UTC."),
        Column("action", T.StringType(), "publish or rollback."),
        Column("run_id", T.StringType(), "Run that is current from here on."),
        Column("snapshot_id", T.StringType(), "Features of that run."),
        Column("model_id", T.StringType(), "Model of that run."),
        Column("as_of_date", T.DateType(), "Last day counted in that run."),
        Column(
            "withdrawn_run_id",
            T.StringType(),
            "Run that a rollback took back; it is not published again unasked.",
            nullable=True,
        ),
    ),
)
