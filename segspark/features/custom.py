"""Features of the user's own: expressions and functions over the columns of one customer."""

import inspect
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import ConfigError
from segspark.settings.features import CustomFeature, FeatureSettings
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.features import customer_features

_INFINITE = float("inf")
_PLAIN_TYPES = (T.NumericType, T.BooleanType)
_NAMED_DAY = re.compile(r"(?i)'\s*(now|today|yesterday|tomorrow)\b")
"""Spark reads these words as days when it plans, and then they look like any other day."""


def custom_columns(df: DataFrame, custom: Sequence[CustomFeature]) -> dict[str, Column]:
    """The columns to add to customers that have all built-in ones.

    Values are doubles; NULL where there is no finite number or no purchase.

    Raises:
        ConfigError: A function cannot be found, or returns no column.
    """
    return {each.name: _finite(_column(df, each)) for each in custom}


def check_custom(spark: SparkSession, settings: FeatureSettings) -> None:
    """Refuse custom features that cannot be worked out, before any work is done.

    Raises:
        ConfigError: A formula is no formula, names a column that is not there, or is more than a
            deterministic value of one customer: an aggregate, a window, a query or today's date.
    """
    bare = settings.model_copy(update={"custom": ()})
    customer_features(settings)
    nobody = spark.createDataFrame([], customer_features(bare).schema)
    for each in settings.custom:
        with engine_sentences(_place(each), error=ConfigError):
            made = nobody.select(_column(nobody, each).alias(each.name))
        if not isinstance(made.schema[each.name].dataType, _PLAIN_TYPES):
            kind = made.schema[each.name].dataType.simpleString()
            raise ConfigError(f"{_place(each)}: makes {kind}, and a feature is a number: cast it")
        if not _is_plain(made) or _NAMED_DAY.search(each.expression or ""):
            raise ConfigError(
                f"{_place(each)}: must be a value of one customer that is always the same: "
                "leave out aggregates, windows, queries, random numbers and the current date"
            )
        # What fails for one customer would fail for all, after the ledger was built.
        with engine_sentences(_place(each), error=ConfigError):
            zeros = _customer_of_zeros(spark, nobody.schema)
            zeros.select(custom_columns(zeros, [each])[each.name]).collect()


def function_sources(custom: Sequence[CustomFeature]) -> list[str]:
    """Text of the modules that name and make each function: a snapshot's id is made of them, too.

    Raises:
        ConfigError: A module has no text.
    """
    return [text for each in custom if each.function is not None for text in _module_texts(each)]


def _module_texts(custom: CustomFeature) -> list[str]:
    made = inspect.getmodule(_function(custom))
    named = import_module(str(custom.function).partition(":")[0])
    try:
        return [inspect.getsource(each) for each in dict.fromkeys((named, made or named))]
    except (OSError, TypeError) as error:
        raise ConfigError(
            f"{_place(custom)}: {custom.function} is not written in a file of Python, so nobody "
            "could see when it changes: put it into one"
        ) from error


def _customer_of_zeros(spark: SparkSession, schema: T.StructType) -> DataFrame:
    zeros = {f.name: F.lit(0) for f in schema if isinstance(f.dataType, T.NumericType)}
    return spark.range(1).select(
        *(zeros.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in schema)
    )


def _column(df: DataFrame, custom: CustomFeature) -> Column:
    if custom.expression is not None:
        return F.expr(custom.expression)
    try:
        made = _function(custom)({name: F.col(name) for name in df.columns})
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{_place(custom)}: {custom.function} fails with {type(error).__name__} "
            f"{' '.join(str(error).split())}: correct it"
        ) from error
    if not isinstance(made, Column):
        raise ConfigError(
            f"{_place(custom)}: {custom.function} returns {type(made).__name__}, not a Column"
        )
    return made


def _function(custom: CustomFeature) -> Callable[[dict[str, Column]], Any]:
    module, _, name = str(custom.function).partition(":")
    try:
        found: Callable[[dict[str, Column]], Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"{_place(custom)}: {custom.function} cannot be found ({error}): install its package, "
            "or correct the name"
        ) from error
    if not callable(found):
        raise ConfigError(f"{_place(custom)}: {custom.function} is no function: name another")
    return found


def _is_plain(made: DataFrame) -> bool:
    """Whether Spark's plan of a column over nobody is one projection that always gives the same."""
    java: Any = made.sparkSession._jvm  # noqa: SLF001 - PySpark has no public view of a plan
    plan: Any = made._jdf.queryExecution().analyzed()  # noqa: SLF001 - as above
    patterns = java.org.apache.spark.sql.catalyst.trees.TreePattern
    return bool(
        plan.nodeName() == "Project"
        and plan.child().children().isEmpty()
        and plan.deterministic()
        and plan.subqueriesAll().isEmpty()
        and not plan.containsPattern(patterns.CURRENT_LIKE())
    )


def _finite(value: Column) -> Column:
    number = value.cast("double")
    is_finite = ~F.isnan(number) & (F.abs(number) < F.lit(_INFINITE))
    return F.when(F.col("exclusion_reason").isNull() & is_finite, number)


def _place(custom: CustomFeature) -> str:
    return f"features.custom {custom.name}"
