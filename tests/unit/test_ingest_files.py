"""Every file of a source is found once, whatever surrounds its bytes."""

import gzip
import zipfile
from pathlib import Path

import pytest

from segspark.errors import IngestError
from segspark.ingest.files import SourceFile, find_files, open_content, unpack
from tests.purchases import source


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def zipped(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def found(location: object) -> list[SourceFile]:
    return find_files("shop", source(location))


def names(location: object) -> list[str]:
    return [file.name for file in found(location)]


def content(file: SourceFile) -> bytes:
    with open_content(file) as stream:
        return stream.read()


def test_a_file_is_found_by_its_path(tmp_path: Path) -> None:
    path = written(tmp_path / "jan uary.csv", "a")
    assert names(path) == ["jan uary.csv"]


def test_a_folder_gives_all_its_files_in_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.csv", "deep/a.csv", "c.csv"):
        written(tmp_path / name, name)
    assert names(tmp_path) == ["b.csv", "c.csv", "deep/a.csv"]


def test_a_glob_gives_what_it_matches(tmp_path: Path) -> None:
    for name in ("2011/a.csv", "2011/b.txt", "2012/c.csv"):
        written(tmp_path / name, name)
    assert names(tmp_path / "*" / "*.csv") == ["2011/a.csv", "2012/c.csv"]


def test_a_relative_location_is_taken_from_where_the_job_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "in" / "a.csv", "a")
    monkeypatch.chdir(tmp_path)
    assert names("in") == names("in/*.csv") == names("in/a.csv") == ["a.csv"]


@pytest.mark.parametrize("location", ["", "/*"])
def test_markers_and_checksums_are_no_data(tmp_path: Path, location: str) -> None:
    for name in ("a.csv", "_SUCCESS", ".a.csv.crc"):
        written(tmp_path / name, name)
    written(tmp_path / "_temporary" / "part.csv", "part")
    assert names(f"{tmp_path}{location}") == ["a.csv"]


def test_a_hidden_folder_above_the_source_hides_nothing(tmp_path: Path) -> None:
    written(tmp_path / ".data" / "_in" / "a.csv", "a")
    assert names(tmp_path / ".data" / "_in") == ["a.csv"]
    assert names(tmp_path / ".data" / "_in" / "*.csv") == ["a.csv"]


def test_members_of_a_zip_are_files_of_their_own(tmp_path: Path) -> None:
    path = zipped(tmp_path / "all.zip", **{"jan.csv": "1", "more__feb.csv": "2", "empty__": ""})
    assert names(path) == ["all.zip/jan.csv", "all.zip/more/feb.csv"]
    assert [content(file) for file in found(path)] == [b"1", b"2"]


def test_what_a_mac_adds_to_a_zip_is_no_data(tmp_path: Path) -> None:
    path = tmp_path / "mac.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("jan.csv", "__MACOSX/._jan.csv", ".DS_Store"):
            archive.writestr(name, name)
    assert names(path) == ["mac.zip/jan.csv"]


def test_packing_is_recognised_by_the_bytes_and_not_by_the_name(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_bytes(gzip.compress(b"who,at\n"))
    assert [content(file) for file in found(path)] == [b"who,at\n"]
    assert found(path)[0].is_packed


def test_the_hash_is_that_of_the_unpacked_bytes(tmp_path: Path) -> None:
    plain = found(written(tmp_path / "a.csv", "same"))
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"same"))
    packed = found(tmp_path / "a.gz") + found(zipped(tmp_path / "a.zip", **{"x.csv": "same"}))
    assert {file.content_hash for file in packed} == {plain[0].content_hash}
    assert not plain[0].is_packed


def test_equal_contents_are_taken_once(tmp_path: Path) -> None:
    written(tmp_path / "a.csv", "same")
    written(tmp_path / "copy of a.csv", "same")
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"same"))
    written(tmp_path / "b.csv", "other")
    assert len(found(tmp_path)) == 2


def test_unpacking_keeps_the_bytes(tmp_path: Path) -> None:
    file = found(zipped(tmp_path / "a.zip", **{"x y.csv": "who,at\n1,2\n"}))[0]
    assert unpack(file, tmp_path / "new" / "folder").read_bytes() == b"who,at\n1,2\n"


def test_a_damaged_zip_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"x.csv": "who,at\n" * 99})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(IngestError, match=r"a\.zip: cannot be read .*: send the file again"):
        found(path)


def test_a_zip_with_a_damaged_member_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.csv", "who,at\n1,2\n")
    path.write_bytes(path.read_bytes().replace(b"1,2", b"1,3", 1))
    with pytest.raises(IngestError, match=r"cannot be read \(Bad CRC-32.*: send the file again"):
        found(path)


@pytest.mark.parametrize("damage", [slice(0, 40), slice(0, -8)])
def test_a_gzip_that_ends_early_is_refused_in_a_sentence(tmp_path: Path, damage: slice) -> None:
    packed = gzip.compress(bytes(range(256)) * 9)
    (tmp_path / "a.gz").write_bytes(packed[damage])
    with pytest.raises(IngestError, match=r"cannot be read .*: send the file again"):
        found(tmp_path / "a.gz")


def test_a_gzip_with_garbled_bytes_is_refused_in_a_sentence(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(bytes(range(256)) * 9))
    packed[12:20] = b"\xff" * 8
    (tmp_path / "a.gz").write_bytes(packed)
    with pytest.raises(IngestError, match=r"cannot be read .*: send the file again"):
        found(tmp_path / "a.gz")


def test_a_place_without_files_is_refused_with_the_key_to_correct(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match=r"no file at .*: check sources\.shop\.location"):
        found(tmp_path / "*.csv")
    with pytest.raises(IngestError, match="its location is empty"):
        found("${NO_SUCH_VARIABLE:-}")
