"""Files with one JSON object a line."""

import json
from collections.abc import Iterable, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.ingest.files.source_files import SourceFile
from segspark.ingest.files.stores import Store
from segspark.ingest.reading.raw import ADDED, MALFORMED, RAW_ROW
from segspark.ingest.reading.text_lines import LINE, read_lines, sample_text, whole_lines
from segspark.settings.formats import JsonLinesFormat

_OBJECT = "__object"
# Walks from number to number: texts are stepped over whole, and a number must end where one may.
_NUMBER = (
    r'\G((?:[^"0-9\-NI]++|"(?:[^"\\]++|\\.)*+")*+)'
    r"(-?+(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+|Infinity)|NaN)"
    r"(?=\s*+(?:[,}\]]|$))"
)
_OPTIONS = {"allowSingleQuotes": "false", "allowUnquotedControlChars": "true"}


def json_keys(store: Store, file: SourceFile, json_format: JsonLinesFormat) -> list[str]:
    """The top-level keys in the first MiB of a file, in the order in which they come.

    Raises:
        IngestError: The file is empty.
    """
    text, is_all = sample_text(store, file, json_format.encoding)
    keys: dict[str, None] = {}
    for line in whole_lines(text, is_all=is_all):
        try:
            found = json.loads(line, strict=False)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            keys.update(dict.fromkeys(found))
    return list(keys)


def json_columns(keys: Iterable[str], wanted: Sequence[str]) -> list[str]:
    """The columns of a frame: the mapped ones, and every other key that a frame can hold with them.

    Of keys that differ by case only, the mapped one is kept, else the first; the row's text has
    them all.
    """
    kept = {name.casefold(): name for name in wanted}
    possible = [key for key in dict.fromkeys([*keys, *wanted]) if key and key not in ADDED]
    return [key for key in possible if kept.setdefault(key.casefold(), key) == key]


def is_found(column: str, keys: Sequence[str]) -> bool:
    """Whether a mapped name is a key, or leads into one."""
    return column in keys or _first_key(column) in keys


def read_json(
    spark: SparkSession,
    json_format: JsonLinesFormat,
    columns: Sequence[str],
    addresses: Sequence[str],
) -> DataFrame:
    """The rows of files, every value as its text; then `MALFORMED` and `RAW_ROW`, the line.

    Numbers keep their digits as written. A nested value is its JSON text, with the numbers in it
    in quotes. A name with dots is the key of that name, or else what it leads to in nested objects.

    Args:
        spark: The session.
        json_format: How the files are written.
        columns: Keys, and names that lead into nested objects.
        addresses: The prepared files, as Spark takes them.
    """
    lines = read_lines(spark, addresses, json_format.encoding)
    keys = dict.fromkeys([*columns, *map(_first_key, columns)])
    objects = lines.withColumn(_OBJECT, _json_object(F.col(LINE), _distinct(keys)))
    whole = F.col(_OBJECT)
    return objects.select(
        *[_value(whole, name).alias(name) for name in columns],
        F.when(whole.isNull(), F.col(LINE)).alias(MALFORMED),
        F.col(LINE).alias(RAW_ROW),
    )


def doubled_key(line: Column, columns: Sequence[str]) -> Column:
    """Names a key that stands twice in a line's object, or in one that leads to a column.

    Args:
        line: The text of one object.
        columns: Mapped names.

    Returns:
        `the key NAME` where a mapped name holds it, `a key` for any other, of which the data could
        bring any number; NULL where no key stands twice.
    """
    steps = [name.split(".") for name in columns]
    paths = sorted({tuple(keys[:depth]) for keys in steps for depth in range(1, len(keys))})
    inner = [F.get_json_object(line, "$" + "".join(f"['{key}']" for key in p)) for p in paths]
    key = F.coalesce(*(_doubled(text) for text in (line, *inner)))
    mapped = sorted({*columns, *(key for keys in steps for key in keys)})
    named = F.when(key.isin(mapped), F.concat(F.lit("the key "), key))
    return named.when(key.isNotNull(), F.lit("a key"))


def _doubled(text: Column) -> Column:
    # The first way is cheap, and takes neither NaN nor control characters.
    keys = F.coalesce(
        F.json_object_keys(text), F.map_keys(F.from_json(text, "map<string,string>", _OPTIONS))
    )
    again = F.filter(keys, lambda key, place: F.array_position(keys, key) <= place)
    return F.when(F.size(F.array_distinct(keys)) < F.size(keys), F.get(again, F.lit(0)))


def _json_object(line: Column, keys: Sequence[str]) -> Column:
    """The line's object as a struct of texts; NULL where it holds anything else, or more.

    Spark reads a number through a double and ignores what stands behind an object. So numbers are
    put in quotes, and the object into an array before an empty one: what breaks that is no object.
    """
    fields = [T.StructField(key, T.StringType()) for key in keys]
    array = F.concat(F.lit("["), F.regexp_replace(line, _NUMBER, '$1"$2"'), F.lit(",{}]"))
    found = F.from_json(array, T.ArrayType(T.StructType(fields)), _OPTIONS)
    return F.when(F.size(found) == 2, F.get(found, F.lit(0)))  # noqa: PLR2004 - it and the empty


def _value(whole: Column, name: str) -> Column:
    if "." not in name:
        return whole.getField(name)
    first, *below = name.split(".")
    nested = whole.getField(first)
    for key in below:
        inner = F.from_json(nested, T.StructType([T.StructField(key, T.StringType())]), _OPTIONS)
        nested = inner.getField(key)
    return F.coalesce(whole.getField(name), nested)


def _first_key(name: str) -> str:
    return name.partition(".")[0]


def _distinct(names: Iterable[str]) -> list[str]:
    """Names as a struct can hold them, which does not tell cases apart."""
    return list({name.casefold(): name for name in names}.values())
