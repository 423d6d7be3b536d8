"""A file of any kind that changes while it is read is refused as such, and no table changes."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from segspark.ingest.reading import preparing
from segspark.pipeline import planning, taking_in
from segspark.pipeline.stage import Workspace
from tests.hostile import LINE, refusal, text
from tests.hostile_contents import GOOD_FILES, orc_file, sqlite_file, xls, xlsx
from tests.packed import zipped
from tests.purchases import source_document

FORMATS: dict[str, dict[str, Any]] = {"sqlite": {"table": "lines"}}
FILES: dict[str, tuple[str, Callable[[], bytes]]] = {
    **{kind: (kind, content) for kind, content in GOOD_FILES.items()},
    "xls": ("excel", xls),
    "csv in gzip": ("csv", lambda: gzip.compress(text(LINE))),
    "csv in UTF-16": ("csv", lambda: text(LINE).decode().encode("UTF-16")),
    "orc in gzip": ("orc", lambda: gzip.compress(orc_file())),
    "workbook in a ZIP": ("excel", lambda: zipped(("a.xlsx", xlsx()))),
    "database in a ZIP": ("sqlite", lambda: zipped(("a.db", sqlite_file()))),
}
CHANGED = "in: changed while it was read: wait until it is complete and try again"


def _append(path: Path) -> None:
    with path.open("ab") as late:
        late.write(f"{LINE}\n".encode())


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 30)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _take_away(path: Path) -> None:
    path.unlink()


def _before(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, change: Callable[[], object]
) -> None:
    """Let something happen when a function is first called, before it does its work."""
    own = getattr(module, name)

    def later(*arguments: object, **named: object) -> object:
        monkeypatch.setattr(module, name, own)
        change()
        return own(*arguments, **named)

    monkeypatch.setattr(module, name, later)


def _file(folder: Path, case: str) -> tuple[Path, dict[str, Any]]:
    """A file of this kind, and a source for it."""
    kind, content = FILES[case]
    path = folder / "in"
    path.write_bytes(content())
    encoding = {"encoding": "UTF-16"} if case.endswith("UTF-16") else {}
    return path, source_document(path, format={"kind": kind, **FORMATS.get(kind, {}), **encoding})


@pytest.mark.parametrize("case", FILES)
@pytest.mark.parametrize("change", [_append, _cut])
def test_a_file_that_changes_between_the_look_at_it_and_its_reading_is_refused(
    one_good_batch: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
    change: Callable[[Path], None],
) -> None:
    path, document = _file(tmp_path, case)
    _before(monkeypatch, taking_in, "prepare", lambda: change(path))
    assert refusal(one_good_batch, document) == CHANGED


@pytest.mark.parametrize(
    "until_now", [b"", text(LINE)[:6], text(LINE).splitlines(keepends=True)[0]], ids=len
)
def test_a_csv_that_is_written_anew_before_its_header_is_read_is_not_blamed(
    one_good_batch: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until_now: bytes
) -> None:
    path, document = _file(tmp_path, "csv")
    _before(monkeypatch, planning, "look_at", lambda: path.write_bytes(until_now))
    assert refusal(one_good_batch, document) == CHANGED


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_is_cut_before_its_rows_are_staged_is_refused(
    one_good_batch: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    path, document = _file(tmp_path, case)
    _before(monkeypatch, taking_in, "stage_rows", lambda: _cut(path))
    assert refusal(one_good_batch, document) == CHANGED


@pytest.mark.parametrize("case", ["excel", "xls", "sqlite"])
def test_a_workbook_or_database_that_is_emptied_once_it_is_open_is_refused(
    one_good_batch: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    path, document = _file(tmp_path, case)
    _before(monkeypatch, preparing, "write_text_table", lambda: _empty(path))
    assert refusal(one_good_batch, document) == CHANGED


@pytest.mark.parametrize("moment", ["prepare", "stage_rows"])
@pytest.mark.parametrize("case", ["csv", "parquet", "excel", "sqlite"])
def test_a_file_that_is_taken_away_while_it_is_read_is_refused(
    one_good_batch: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: str,
    moment: str,
) -> None:
    path, document = _file(tmp_path, case)
    _before(monkeypatch, taking_in, moment, lambda: _take_away(path))
    assert refusal(one_good_batch, document) == (
        f"{path}: is not there any more: try again once its folder is complete"
    )


def test_a_csv_that_grows_while_it_is_read_is_refused(
    one_good_batch: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, document = _file(tmp_path, "csv")
    _before(monkeypatch, taking_in, "stage_rows", lambda: _append(path))
    assert refusal(one_good_batch, document) == CHANGED
