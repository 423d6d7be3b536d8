"""What vectors are made of: customer features, with lifetime values beside them where asked."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.clustering.embedded_fits import too_many_components
from segspark.clustering.recipes import LIFETIME_VALUE, check_vector, value_rules
from segspark.errors import ConfigError, StageError
from segspark.model.vector import ValueRule
from segspark.pipeline.features import read_snapshot
from segspark.pipeline.lifetime import STAGE as LIFETIME
from segspark.pipeline.lifetime import lifetime_id_of
from segspark.pipeline.stage import Workspace
from segspark.settings.root import Settings
from segspark.settings.vector import VectorSettings
from segspark.tables.contract import TableContract
from segspark.tables.features import CUSTOMER_FEATURES, customer_features
from segspark.tables.lake import Lake
from segspark.tables.lifetime import CUSTOMER_LIFETIME_VALUES
from segspark.tables.manifest import find_stage


def configured_rules(settings: Settings, vector: VectorSettings) -> tuple[ValueRule, ...]:
    """The columns that one of the configured vectors takes, and how each is read."""
    return value_rules(vector, windows=settings.features.windows_days)


def configured_columns(settings: Settings) -> list[str]:
    """The columns that all of the configured vectors take together, each once."""
    rules = [configured_rules(settings, each) for each in settings.training.vectors]
    return list(dict.fromkeys(rule.name for each in rules for rule in each))


def check_configured_vectors(settings: Settings) -> None:
    """Refuse vectors that no snapshot of this configuration has the columns for.

    Raises:
        ConfigError: A column is unknown or no number, or there are fewer columns than components.
    """
    features, training = settings.features, settings.training
    table = customer_features(features)
    for vector in training.vectors:
        check_vector(vector, windows=features.windows_days, table=table)
        columns = len(configured_rules(settings, vector))
        refusal = too_many_components(training.sweep, training.sweep.embeddings, columns=columns)
        if refusal is not None:
            raise ConfigError(training.lead_of(vector.recipe) + refusal)


def vector_inputs(
    settings: Settings, snapshot_id: str, *, columns: Sequence[str]
) -> tuple[str, ...]:
    """Ids of what the columns of a vector come from: the snapshot, and its values where asked."""
    if LIFETIME_VALUE in columns:
        return snapshot_id, lifetime_id_of(settings, snapshot_id)
    return (snapshot_id,)


def vector_tables(columns: Sequence[str]) -> tuple[TableContract, ...]:
    """The tables that the columns of a vector come from."""
    if LIFETIME_VALUE in columns:
        return CUSTOMER_FEATURES, CUSTOMER_LIFETIME_VALUES
    return (CUSTOMER_FEATURES,)


def read_vector_features(
    workspace: Workspace, snapshot_id: str, *, columns: Sequence[str]
) -> DataFrame:
    """Read the customers of one snapshot with the columns of a vector.

    Returns:
        `customer_features`, one row per customer; and the lifetime value, where it is among the
        columns, NULL for who could not be valued.

    Raises:
        StageError: The lifetime value is asked for, and was not worked out, or for nobody.
    """
    lake, settings = workspace.lake, workspace.settings
    features = read_snapshot(lake, snapshot_id, contract=customer_features(settings.features))
    if LIFETIME_VALUE not in columns:
        return features
    lifetime_id = lifetime_id_of(settings, snapshot_id)
    if find_stage(lake, LIFETIME, lifetime_id) is None:
        raise StageError(
            f"the vector takes lifetime values, and there are none of {snapshot_id} for this "
            "configuration: run value first"
        )
    values = _values(lake, lifetime_id)
    if values.filter(F.col(LIFETIME_VALUE).isNotNull()).isEmpty():
        raise StageError(
            "the vector takes lifetime values, and no customer could be valued, for reasons that "
            f"lifetime_models has under {lifetime_id}: {_without_values(settings)}, or ingest a "
            "longer history"
        )
    return features.join(values, on="customer_id", how="left")


def _without_values(settings: Settings) -> str:
    """What to change for vectors that take no lifetime values."""
    training = settings.training
    if training.search is None or not training.search.recipes:
        return "take another training.vector.recipe"
    takers = [
        each.recipe
        for each in training.vectors
        if any(rule.name == LIFETIME_VALUE for rule in configured_rules(settings, each))
    ]
    return f"take {' and '.join(takers)} out of training.search.recipes"


def _values(lake: Lake, lifetime_id: str) -> DataFrame:
    values = lake.read(CUSTOMER_LIFETIME_VALUES).filter(F.col("lifetime_id") == lifetime_id)
    return values.select("customer_id", LIFETIME_VALUE)
