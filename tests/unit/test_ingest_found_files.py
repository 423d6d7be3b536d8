"""Every file of a source is found once, and left out by nobody's silence."""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.choosing_store import store_for
from segspark.ingest.files.local_store import LocalStore
from tests.delivered import STORE, found, written
from tests.disks import as_nobody, open_to_everyone


def labels(location: object) -> list[str]:
    return [file.label for file in found(location)]


def refused(location: object) -> str:
    with pytest.raises(IngestError) as caught:
        found(location)
    return str(caught.value)


def test_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    path = written(tmp_path / "jan uary.csv", "a")
    assert labels(path) == ["jan uary.csv"]
    assert found(path)[0].address == str(path)


def test_a_found_file_tells_when_it_was_written(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "a")
    os.utime(path, (1_300_000_000, 1_300_000_000))
    assert found(path)[0].modified_at == datetime(2011, 3, 13, 7, 6, 40, tzinfo=UTC)


def test_a_folder_gives_all_its_files_in_order_of_their_labels(tmp_path: Path) -> None:
    for name in ("b.csv", "deep/a.csv", "c.csv"):
        written(tmp_path / name, name)
    assert labels(tmp_path) == labels(f"{tmp_path}/x/../") == ["b.csv", "c.csv", "deep/a.csv"]


def test_a_glob_gives_what_it_matches(tmp_path: Path) -> None:
    for name in ("2011/a.csv", "2011/b.txt", "2012/c.csv", "2012/q/d.csv", "note"):
        written(tmp_path / name, name)
    assert labels(tmp_path / "*" / "*.csv") == ["2011/a.csv", "2012/c.csv"]
    assert labels(tmp_path / "*" / "c.csv") == ["2012/c.csv"]
    assert labels(tmp_path / "**" / "*.csv") == ["2011/a.csv", "2012/c.csv", "2012/q/d.csv"]


def test_a_folder_that_fits_a_glob_gives_all_below_it(tmp_path: Path) -> None:
    for name in ("2011/a.csv", "2012/q/d.csv", "b/c.csv"):
        written(tmp_path / name, name)
    assert labels(tmp_path / "20*") == ["2011/a.csv", "2012/q/d.csv"]
    assert labels(tmp_path / "2012" / "**") == ["q/d.csv"]


def test_a_name_that_looks_like_a_glob_is_found_as_it_is(tmp_path: Path) -> None:
    written(tmp_path / "in[1]" / "a*.csv", "a")
    written(tmp_path / "in[1]" / "ab.csv", "a")
    assert labels(tmp_path / "in[1]" / "a*.csv") == ["a*.csv"]
    assert labels(tmp_path / "in[1]") == ["a*.csv", "ab.csv"]


def test_a_relative_location_is_taken_from_where_the_job_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "in" / "a.csv", "a")
    monkeypatch.chdir(tmp_path)
    assert labels("in") == labels("in/*.csv") == labels("in/a.csv") == ["a.csv"]


@pytest.mark.parametrize("location", ["", "/*", "/**/*"])
def test_markers_checksums_and_uploads_under_way_are_no_data(tmp_path: Path, location: str) -> None:
    for name in ("a.csv", "_SUCCESS", ".a.csv.crc", "b.csv._COPYING_", "_temporary/part.csv"):
        written(tmp_path / name, name)
    assert labels(f"{tmp_path}{location}") == ["a.csv"]


@pytest.mark.parametrize(
    ("location", "skipped"),
    [
        ("", ["._COPYING_", ".b.csv", "_2024.csv", "_old", "q/_2025.csv"]),
        ("/*", ["._COPYING_", ".b.csv", "_2024.csv", "_old", "q/_2025.csv"]),
        ("/*.csv", [".b.csv", "_2024.csv"]),
        ("/*/*.csv", ["_old", "q/_2025.csv"]),
        ("/**/*.csv", [".b.csv", "_2024.csv", "_old", "q/_2025.csv"]),
        ("/_*", ["_2024.csv", "_old"]),
        ("/q/_2025.csv", []),
    ],
)
def test_what_is_left_out_for_its_name_is_noted(
    tmp_path: Path, location: str, skipped: list[str]
) -> None:
    for name in ("a.csv", "_2024.csv", ".b.csv", "._COPYING_", "q/_2025.csv", "_old/deep/c.csv"):
        written(tmp_path / name, name)
    for name in ("_SUCCESS", "_delta_log/0.json", ".a.csv.crc", ".DS_Store", "_started_7"):
        written(tmp_path / name, name)
    noted: list[str] = []
    STORE.find(f"{tmp_path}{location}", note_skipped=noted.append)
    assert sorted(set(noted)) == skipped


def test_what_is_hidden_is_not_looked_at(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", "a")
    (tmp_path / "_old").mkdir()
    os.mkfifo(tmp_path / "_old" / "pipe")
    (tmp_path / "_link").symlink_to("gone")
    for location in ("", "/*", "/**/*.csv", "/**"):
        assert labels(f"{tmp_path}{location}") == ["a.csv"]


@pytest.mark.parametrize("name", ["_2024.csv", ".2024.csv"])
def test_a_file_that_is_named_itself_is_found_whatever_its_name(tmp_path: Path, name: str) -> None:
    assert labels(written(tmp_path / name, "a")) == [name]


def test_a_place_where_all_is_left_out_is_refused_with_its_names(tmp_path: Path) -> None:
    for number in range(5):
        written(tmp_path / f"_{number}.csv", "a")
    assert refused(tmp_path) == (
        f"source shop: no file at {tmp_path} but _0.csv, _1.csv, _2.csv and 2 more, as _ or . in "
        "front marks no data: check sources.shop.location"
    )


def test_a_hidden_folder_above_the_source_hides_nothing(tmp_path: Path) -> None:
    written(tmp_path / ".data" / "_in" / "a.csv", "a")
    assert labels(tmp_path / ".data" / "_in") == ["a.csv"]
    assert labels(tmp_path / ".data" / "_in" / "*.csv") == ["a.csv"]


def test_links_to_folders_and_files_are_followed(tmp_path: Path) -> None:
    written(tmp_path / "far" / "deep" / "a.csv", "a")
    written(tmp_path / "b.csv", "b")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "far")
    (tmp_path / "in" / "file.csv").symlink_to("../b.csv")
    assert labels(tmp_path / "in") == ["file.csv", "folder/deep/a.csv"]
    assert labels(tmp_path / "in" / "**" / "*.csv") == ["file.csv", "folder/deep/a.csv"]
    assert labels(tmp_path / "in" / "folder") == ["deep/a.csv"]


@pytest.mark.parametrize("location", ["in", "in/*", "in/**/*.csv"])
@pytest.mark.parametrize(
    ("target", "told"),
    [
        (".", "is a link to a folder that holds it: remove the link"),
        ("..", "is a link to a folder that holds it: remove the link"),
        ("deep", "is a link to a folder that holds it: remove the link"),
        ("gone", "is a link to gone, which is not there: bring it back or remove the link"),
        ("link", "is a link that leads back to itself: remove the link"),
    ],
)
def test_a_link_that_leads_nowhere_or_round_is_refused(
    tmp_path: Path, location: str, target: str, told: str
) -> None:
    written(tmp_path / "in" / "a.csv", "a")
    place = tmp_path / "in" / "deep" if target == "deep" else tmp_path / "in"
    place.mkdir(exist_ok=True)
    (place / "link").symlink_to(place if target == "deep" else target)
    assert refused(tmp_path / location) == f"{place / 'link'}: {told}"


def test_a_location_that_is_a_link_to_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to("gone")
    assert "is a link to gone, which is not there" in refused(tmp_path / "a.csv")
    assert "is a link to gone, which is not there" in refused(tmp_path / "*" / "b.csv")


def test_a_pipe_or_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refused(tmp_path) == (
        f"{tmp_path}/pipe: is a pipe, socket or device and no file: take it away"
    )
    (tmp_path / "pipe").unlink()
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert "is a pipe, socket or device" in refused(tmp_path)


@pytest.mark.parametrize("location", ["", "/*", "/shut", "/shut/*.csv", "/shut/deep/a.csv"])
def test_a_folder_without_permission_is_refused(tmp_path: Path, location: str) -> None:
    open_to_everyone(tmp_path)
    written(tmp_path / "shut" / "deep" / "a.csv", "a")
    (tmp_path / "shut").chmod(0)
    try:
        with as_nobody():
            told = refused(f"{tmp_path}{location}")
    finally:
        (tmp_path / "shut").chmod(0o755)
    assert f"{tmp_path}/shut" in told
    assert told.endswith(": access is denied: grant it to the user that runs segspark")


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")).write_text("a")
    assert refused(tmp_path) == "caf\ufffd.csv: its name is not UTF-8: rename it"


def test_a_place_without_files_is_refused_with_the_key_to_correct(tmp_path: Path) -> None:
    for location in (tmp_path, tmp_path / "*.csv", tmp_path / "gone" / "*.csv", tmp_path / "gone"):
        assert refused(location) == (
            f"source shop: no file at {location}: check sources.shop.location"
        )
    assert "its location is empty" in refused(" ")
    assert refused("s3a\0").startswith("s3a\0: cannot be reached (")


def test_an_address_needs_a_session() -> None:
    assert isinstance(store_for(None, "/in"), LocalStore)
    with pytest.raises(IngestError, match=r"s3a://\*\*\*@in: only a Spark session can read it"):
        store_for(None, "s3a://me:secret@in")
