"""A source's own rules: which rows break which, and what that means for them."""

import difflib
from decimal import Decimal
from functools import reduce

from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.window import Window

from segspark.errors import IngestError
from segspark.ingest.parsing.listing import listed
from segspark.settings.rules import Rule, Severity
from segspark.settings.sources import SourceSettings
from segspark.tables.engine_errors import engine_sentence

SOURCE_ROW = "source_row"
"""The source's own columns, where a rule's condition speaks of them."""


def speaks_of_source_row(source: SourceSettings) -> bool:
    """Whether any rule needs the source's own columns."""
    return any(SOURCE_ROW in (rule.fails_when or "") for rule in source.rules)


def with_rules(rows: DataFrame, *, name: str, source: SourceSettings) -> DataFrame:
    """Add which rules each row breaks, by severity.

    Args:
        rows: Typed rows, with the columns of the entity's table and `batch_id`, `line_id`.
        name: The source's name, for messages.
        source: Its rules.

    Returns:
        The rows with `flags` and `counted`, arrays of names of rules, and for `refusals` a column
        for each rule that refuses.

    Raises:
        IngestError: A rule names a column that is not there, or its condition is no condition.
    """
    for rule in source.rules:
        _check(rule, rows, name)
    broken = {_column(rule): _breaks(rule) for rule in source.rules}
    names = {
        severity: [F.when(F.col(_column(rule)), rule.name) for rule in _of(source, severity)]
        for severity in (Severity.FLAG, Severity.COUNT)
    }
    flags, counted = listed(names[Severity.FLAG]), listed(names[Severity.COUNT])
    return rows.withColumns(broken).withColumns({"flags": flags, "counted": counted})


def refusals(source: SourceSettings) -> list[Column]:
    """The reason of each rule that refuses; NULL where a row of `with_rules` keeps it."""
    return [
        F.when(F.col(_column(rule)), f"rule: {rule.name}") for rule in _of(source, Severity.REFUSE)
    ]


def _of(source: SourceSettings, severity: Severity) -> list[Rule]:
    return [rule for rule in source.rules if rule.severity is severity]


def _column(rule: Rule) -> str:
    return f"breaks_{rule.name}"


def _breaks(rule: Rule) -> Column:
    """Whether a row breaks the rule; never NULL."""
    found: list[Column] = []
    if rule.column is not None:
        column = F.col(rule.column)
        if rule.required:
            found.append(column.isNull())
        if rule.allowed:
            found.append(~column.isin(*rule.allowed))
        if rule.least is not None:
            found.append(column < F.lit(Decimal(str(rule.least))))
        if rule.most is not None:
            found.append(column > F.lit(Decimal(str(rule.most))))
        if rule.forbidden_pattern:
            found.append(column.cast("string").rlike(rule.forbidden_pattern))
    if rule.unique:
        found.append(_differs_under_one_key(rule.unique))
    if rule.fails_when:
        found.append(F.expr(rule.fails_when))
    never = F.lit(col=False)
    return reduce(Column.__or__, [F.coalesce(condition, never) for condition in found])


def _differs_under_one_key(key: tuple[str, ...]) -> Column:
    has_key = reduce(Column.__and__, [F.col(name).isNotNull() for name in key])
    # Rows without a key would all be one group, for one core: each is a group of its own.
    same_key = Window.partitionBy("batch_id", *key, F.when(~has_key, F.col("line_id")))
    return has_key & (F.min("line_id").over(same_key) != F.max("line_id").over(same_key))


def _check(rule: Rule, rows: DataFrame, name: str) -> None:
    place = f"source {name}: rule {rule.name}"
    for column in (*((rule.column,) if rule.column else ()), *rule.unique):
        if column not in rows.columns:
            close = difflib.get_close_matches(column, rows.columns, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}?" if close else "docs/tables.md has the columns"
            raise IngestError(f"{place}: there is no column {column}: {hint}")
    if rule.least is not None or rule.most is not None:
        dtype = rows.schema[rule.column or ""].dataType
        if not isinstance(dtype, T.NumericType):
            raise IngestError(
                f"{place}: {rule.column} is no number but {dtype.simpleString()}: "
                "least and most are for numbers, use fails_when"
            )
    try:
        rows.withColumn("breaks", _breaks(rule))
    except PySparkException as error:
        raise IngestError(
            f"{place}: its condition cannot be used ({engine_sentence(error)}): correct it"
        ) from error
