"""Files that are looked at before Spark reads them."""

import io
from contextlib import nullcontext

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.inspection import Inspection, inspect_content
from segspark.settings.formats import (
    CsvFormat,
    ExcelFormat,
    FileFormat,
    FixedWidthFormat,
    JsonLinesFormat,
)

CSV = CsvFormat(kind="csv")
MULTILINE = CsvFormat(kind="csv", multiline=True)
JSON = JsonLinesFormat(kind="json")
FIXED = FixedWidthFormat(kind="fixed_width", fields={"who": (1, 2)})
EXCEL = ExcelFormat(kind="excel")
MIB = 1 << 20


def csv_in(encoding: str) -> CsvFormat:
    return CsvFormat.model_validate({"kind": "csv", "encoding": encoding})


def inspect(content: bytes, file_format: FileFormat = CSV) -> str:
    return inspection(content, file_format).content_hash


def inspection(content: bytes, file_format: FileFormat = CSV) -> Inspection:
    def reopen() -> nullcontext[io.BytesIO]:
        return nullcontext(io.BytesIO(content))

    return inspect_content(io.BytesIO(content), reopen, name="a.csv", file_format=file_format)


def refusal(content: bytes, file_format: FileFormat = CSV) -> str:
    with pytest.raises(IngestError) as caught:
        inspect(content, file_format)
    return str(caught.value)
