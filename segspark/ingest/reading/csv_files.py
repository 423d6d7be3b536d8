"""Delimited text files: their headers, read here, and their rows, read by Spark."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from segspark.errors import IngestError
from segspark.ingest.files.source_files import SourceFile
from segspark.ingest.files.stores import Store
from segspark.ingest.reading.raw import MALFORMED, RAW_ROW, quoted
from segspark.ingest.reading.text_lines import from_windows, sample_text
from segspark.settings.formats import CsvFormat

_UNIT_SEPARATOR = "\x1f"
_DELIMITERS = (",", ";", "\t", "|")


def read_header(store: Store, file: SourceFile, csv_format: CsvFormat) -> tuple[list[str], bool]:
    """The columns of one file, in order; one without a name gets Spark's, such as `_c0`.

    They are read here, since Spark takes any header by position.

    Returns:
        The columns, and whether there are rows; True, too, where the first MiB does not tell.

    Raises:
        IngestError: The file is empty, or its first line cannot be read as a header.
    """
    if not csv_format.header:
        return list(csv_format.column_names), True
    text, is_all = sample_text(store, file, csv_format.encoding)
    lines = io.StringIO(text, newline="")
    # Spark takes a line end for the end of a row, quoted or not, unless it is told otherwise.
    rows = _rows(lines, csv_format) if csv_format.multiline else _single_lines(lines, csv_format)
    try:
        names = next(row for row in rows if any(map(str.strip, row)))
    except (csv.Error, StopIteration) as error:
        raise IngestError(
            f"{file.name}: its first line cannot be read as a header ({error or 'no names'}): "
            "correct format of the source"
        ) from error
    columns = [name.strip() or f"_c{place}" for place, name in enumerate(names)]
    return columns, not is_all or bool(lines.read().strip())


def delimiter_hint(columns: Sequence[str]) -> str:
    """The delimiter that a header of one column seems to have instead; empty if none."""
    if len(columns) != 1:
        return ""
    splits = {mark: columns[0].split(mark) for mark in _DELIMITERS if mark in columns[0]}
    good = {mark: parts for mark, parts in splits.items() if all(map(str.strip, parts))}
    if not good:
        return ""
    mark = max(good, key=lambda each: len(good[each])).replace("\t", "\\t")
    return f"it looks delimited by '{mark}': set format.delimiter of the source"


def read_csv(
    spark: SparkSession, csv_format: CsvFormat, columns: Sequence[str], addresses: Sequence[str]
) -> DataFrame:
    """The rows of files that have these columns, all as texts; then `MALFORMED` and `RAW_ROW`.

    Lines of blanks and tabs only are no rows; a line of other delimiters is one.

    Args:
        spark: The session.
        csv_format: How the files are written.
        columns: Their columns in order.
        addresses: The prepared files, as Spark takes them.
    """
    fields = [T.StructField(name, T.StringType()) for name in [*columns, MALFORMED]]
    rows = (
        spark.read.schema(T.StructType(fields))
        .option("sep", csv_format.delimiter)
        .option("quote", csv_format.quote)
        .option("escape", csv_format.escape)
        .option("encoding", _spark_encoding(csv_format))
        .option("header", csv_format.header)
        .option("multiLine", csv_format.multiline)
        .option("mode", "PERMISSIVE")
        .option("columnNameOfCorruptRecord", MALFORMED)
        # Else a line's fields are not counted by a query that needs some of the columns only.
        .option("columnPruning", value=False)
        .csv(list(addresses))
    )
    if csv_format.encoding == "windows-1252":
        rows = rows.withColumns({name: from_windows(quoted(name)) for name in rows.columns})
    return rows.withColumn(RAW_ROW, F.lit(None).cast("string"))


def _spark_encoding(csv_format: CsvFormat) -> str:
    """What Spark reads the prepared file in: UTF-16 was made UTF-8, windows-1252 is mended."""
    ours = {"UTF-16": "UTF-8", "windows-1252": "ISO-8859-1"}
    return ours.get(csv_format.encoding, csv_format.encoding)


def _single_lines(lines: Iterable[str], csv_format: CsvFormat) -> Iterator[list[str]]:
    return (row for line in lines for row in _rows([line], csv_format))


def _rows(lines: Iterable[str], csv_format: CsvFormat) -> Iterator[list[str]]:
    delimiter, quote, escape = csv_format.delimiter, csv_format.quote, csv_format.escape
    delimiter = delimiter.replace("\\t", "\t")
    # The csv module can no more than one sign.
    mark = _UNIT_SEPARATOR if len(delimiter) > 1 else delimiter
    # Outside of quotes nothing is escaped.
    has_own_escape = bool(quote) and escape not in {"", quote}
    return csv.reader(
        (line.replace(delimiter, mark) for line in lines),
        delimiter=mark,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        doublequote=not has_own_escape,
        escapechar=escape if has_own_escape else None,
    )
