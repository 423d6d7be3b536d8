"""Tables as their contracts have them: made where there is none, wider where one has more."""

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from segspark.settings.lake import LakeSettings
from segspark.tables.contract import TableContract


def make_table(
    spark: SparkSession, address: str, contract: TableContract, settings: LakeSettings
) -> None:
    """Make the table, without rows; one that another writer has just made stays as it is."""
    (
        DeltaTable.createIfNotExists(spark)
        .location(address)
        .addColumns(contract.schema)
        .comment(contract.meaning)
        .property(
            "delta.deletedFileRetentionDuration",
            f"interval {settings.deleted_file_retention_days} days",
        )
        .property("delta.logRetentionDuration", f"interval {settings.log_retention_days} days")
        .property("delta.dataSkippingStatsColumns", ",".join(contract.statistics_columns))
        .execute()
    )


def widen_table(
    spark: SparkSession, address: str, contract: TableContract, schema: StructType
) -> None:
    """Add the nullable columns that the table lacks; the columns of others may stay empty.

    Writing no rows adds them, which is no error where another writer has just added them.
    """
    always = {c.name for c in contract.columns if not c.nullable}
    for name in [f.name for f in schema.fields if not f.nullable and f.name not in always]:
        table = address.replace("`", "``")
        spark.sql(f"ALTER TABLE delta.`{table}` ALTER COLUMN `{name}` DROP NOT NULL")
    if contract.lacking(schema):
        nothing = spark.createDataFrame([], contract.schema)
        merging = nothing.write.format("delta").mode("append").option("mergeSchema", value=True)
        merging.save(address)
