"""Whatever surrounds a file's bytes is taken off, and an archive that means harm is refused."""

import base64
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from segspark.errors import IngestError
from segspark.ingest.files.local_store import LocalStore
from segspark.ingest.files.source_files import SourceFile, find_files, look_inside, open_content
from segspark.settings.formats import CsvFormat, ExcelFormat, FileFormat
from tests.packed import gzipped, zipped, zstd

CSV = CsvFormat(kind="csv")
EXCEL = ExcelFormat(kind="excel")
ROWS = b"who,at\n" + b"1,2\n" * 999
# Made by `zip -P secret` from a.csv, which the standard library cannot.
LOCKED_ZIP = (
    "UEsDBAoACQAAAHhGdV0NuBFDEwAAAAcAAAAFAAAAYS5jc3ZWeIzeUmvwzVn75gK7mrRRAWemUEsHCA24EUMTAAAA"
    "BwAAAFBLAQIeAwoACQAAAHhGdV0NuBFDEwAAAAcAAAAFAAAAAAAAAAEAAACkgQAAAABhLmNzdlBLBQYAAAAAAQAB"
    "ADMAAABGAAAAAAA="
)
# Made by `zstd --check` from 400 lines of "who,at".
CHECKED_ZSTD = "KLUv/WTwCXUAADh3aG8sYXQKAQDmkl+Mj0+fYg=="


def one_zipped(content: bytes) -> bytes:
    return zipped(("a.csv", content))


PACKS = (gzipped, zstd, one_zipped)


def workbook(main: str = "xl/workbook.xml") -> bytes:
    return zipped(("[Content_Types].xml", b"<Types/>"), (main, b"<workbook/>"))


def inside(path: Path, content: bytes, file_format: FileFormat = CSV) -> list[SourceFile]:
    path.write_bytes(content)
    store = LocalStore()
    (found,) = find_files(store, "shop", str(path))
    return look_inside(store, found, file_format)


def unpacked(file: SourceFile) -> bytes:
    with open_content(LocalStore(), file) as stream:
        return stream.read()


def refusal(path: Path, content: bytes, file_format: FileFormat = CSV) -> str:
    with pytest.raises(IngestError) as caught:
        inside(path, content, file_format)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "packing"),
    [
        (ROWS, "none"),
        (gzipped(ROWS), "gzip"),
        (gzipped(ROWS[:99]) + gzipped(ROWS[99:]), "gzip"),
        (zstd(ROWS), "zstd"),
        (zstd(ROWS[:99]) + zstd(ROWS[99:]), "zstd"),
        (zipped(("x.csv", ROWS)), "zip"),
        (zipped(("x.csv", ROWS), method=zipfile.ZIP_STORED), "zip"),
    ],
)
def test_packing_is_told_by_the_bytes_and_not_by_the_name(
    tmp_path: Path, content: bytes, packing: str
) -> None:
    (file,) = inside(tmp_path / "plain.csv", content)
    assert (file.packing, file.is_packed) == (packing, packing != "none")
    assert unpacked(file) == ROWS


def test_the_hash_is_that_of_the_unpacked_bytes(tmp_path: Path) -> None:
    contents = (ROWS, gzipped(ROWS), zstd(ROWS), zipped(("x.csv", ROWS)))
    files = [inside(tmp_path / "a.csv", content)[0] for content in contents]
    assert len({file.content_hash for file in files}) == 1


def test_members_of_a_zip_are_files_of_their_own(tmp_path: Path) -> None:
    packed = zipped(("more/feb.csv", b"2\n"), ("more/", b""), ("jan.csv", b"1\n"))
    files = inside(tmp_path / "all.zip", packed)
    assert [file.name for file in files] == ["all.zip/jan.csv", "all.zip/more/feb.csv"]
    assert [unpacked(file) for file in files] == [b"1\n", b"2\n"]


def test_what_a_mac_adds_to_a_zip_is_no_data(tmp_path: Path) -> None:
    names = ("jan.csv", "__MACOSX/._jan.csv", ".DS_Store")
    files = inside(tmp_path / "mac.zip", zipped(*((name, b"1\n") for name in names)))
    assert [file.member for file in files] == ["jan.csv"]


def test_members_that_are_left_out_for_their_names_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    names = ("./jan.csv", "_2024.csv", "_old/a.csv", "_old/b.csv", "__MACOSX/._jan.csv")
    path.write_bytes(zipped(*((name, b"1\n") for name in names)))
    noted: list[str] = []
    (found,) = find_files(LocalStore(), "shop", str(path))
    files = look_inside(LocalStore(), found, CSV, note_skipped=noted.append)
    assert [file.member for file in files] == ["./jan.csv"]
    assert sorted(set(noted)) == ["a.zip/_2024.csv", "a.zip/_old"]
    assert refusal(path, zipped(("_2024.csv", b"1\n"))) == (
        "a.zip: holds no file but _2024.csv, as _ or . in front marks no data: send it again"
    )


@pytest.mark.parametrize("main", ["xl/workbook.xml", "xl/workbook.bin"])
def test_a_workbook_is_not_packed_although_it_is_a_zip(tmp_path: Path, main: str) -> None:
    (file,) = inside(tmp_path / "a.xlsx", workbook(main), EXCEL)
    assert (file.name, file.packing) == ("a.xlsx", "none")
    assert unpacked(file) == workbook(main)


def test_a_zip_of_workbooks_is_packed(tmp_path: Path) -> None:
    (file,) = inside(tmp_path / "all.zip", zipped(("a.xlsx", workbook())), EXCEL)
    assert (file.name, file.packing) == ("all.zip/a.xlsx", "zip")
    assert unpacked(file) == workbook()


def test_another_office_document_is_no_workbook(tmp_path: Path) -> None:
    told = refusal(tmp_path / "a.docx", workbook("word/document.xml"), EXCEL)
    assert told == "a.docx: is an office document but no workbook: send the workbook"


def test_a_workbook_in_a_zip_of_csv_is_named(tmp_path: Path) -> None:
    told = refusal(tmp_path / "all.zip", zipped(("a.xlsx", workbook())))
    assert told.startswith("all.zip/a.xlsx: is an Excel workbook or other office document and no")


@pytest.mark.parametrize(
    "member",
    ["/etc/a.csv", "../a.csv", "in/../../a.csv", "in/..", "C:/a.csv", "c:a.csv", "in\\a.csv"],
)
def test_a_member_that_leads_out_of_its_folder_is_refused(tmp_path: Path, member: str) -> None:
    packed = zipped(("fine.csv", ROWS), (member, ROWS))
    assert refusal(tmp_path / "a.zip", packed) == (
        f"a.zip: its member {member!r} does not stay within a folder: "
        "pack it again with plain relative names"
    )


def test_dots_within_a_name_lead_nowhere(tmp_path: Path) -> None:
    assert inside(tmp_path / "a.zip", zipped(("in..2011/a..csv", ROWS)))


def test_a_member_that_is_a_link_is_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("a.csv")
    info.create_system, info.external_attr = 3, 0o120777 << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    assert "a.zip/a.csv: is a link: " in refusal(tmp_path / "a.zip", packed.getvalue())


def test_a_member_with_a_password_is_refused(tmp_path: Path) -> None:
    told = refusal(tmp_path / "a.zip", base64.b64decode(LOCKED_ZIP))
    assert told == "a.zip/a.csv: is protected by a password: send it without"


@pytest.mark.parametrize("within", [gzipped(ROWS), zstd(ROWS), zipped(("a.csv", ROWS))])
def test_an_archive_within_an_archive_is_refused(tmp_path: Path, within: bytes) -> None:
    told = "is an archive within an archive: unpack once and send that"
    for name, packed in (
        ("a.zip/b", zipped(("b", within))),
        ("a.zip", gzipped(within)),
        ("a.zip", zstd(within)),
    ):
        assert refusal(tmp_path / "a.zip", packed) == f"{name}: {told}"


BOMB = b"1,2\n" * (26 << 20)
TOO_MUCH = "unpacks to more than 200 times its size"


@pytest.mark.parametrize("pack", PACKS)
def test_an_archive_that_unpacks_to_far_more_than_its_size_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    assert TOO_MUCH in refusal(tmp_path / "a.zip", pack(BOMB))
    assert inside(tmp_path / "a.zip", pack(BOMB[: 99 << 20]))


def test_a_bomb_is_seen_across_the_members_of_a_zip(tmp_path: Path) -> None:
    part = BOMB[: 52 << 20]
    assert inside(tmp_path / "a.zip", zipped(("a.csv", part)))
    assert "a.zip/b.csv: " + TOO_MUCH in refusal(
        tmp_path / "a.zip", zipped(("a.csv", part), ("b.csv", part))
    )


def test_a_bomb_does_not_hide_beside_what_packs_badly(tmp_path: Path) -> None:
    noise = b"".join(bytes([i % 7 + 48]) for i in range(1 << 20))
    stored = zipfile.ZipInfo("noise.csv")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(stored, noise, zipfile.ZIP_STORED)
        archive.writestr("b.csv", BOMB)
    assert len(packed.getvalue()) * 200 > len(noise) + len(BOMB)
    assert f"a.zip/b.csv: {TOO_MUCH}" in refusal(tmp_path / "a.zip", packed.getvalue())


def test_a_declared_size_that_lies_hides_nothing(tmp_path: Path) -> None:
    packed = bytearray(zipped(("a.csv", ROWS)))
    # The unpacked size stands 24 bytes into the record of the archive's directory.
    struct.pack_into("<L", packed, packed.index(b"PK\x01\x02") + 24, 14)
    assert "a.zip/a.csv: is damaged (Bad CRC-32" in refusal(tmp_path / "a.zip", bytes(packed))


def test_more_than_ten_thousand_members_are_refused(tmp_path: Path) -> None:
    packed = zipped(*((f"{i}.csv", b"") for i in range(10_001)), method=zipfile.ZIP_STORED)
    assert refusal(tmp_path / "a.zip", packed) == (
        "a.zip: holds 10001 members, above the 10000 allowed: send it in several archives"
    )


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    packed = zipped(("a.csv", b"1\n"), ("b.csv", b"2\n"), ("a.csv", b"3\n"))
    assert refusal(tmp_path / "a.zip", packed) == (
        "a.zip/a.csv: is in the archive twice: send it once"
    )


@pytest.mark.parametrize("members", [(), (("in/", b""), ("_SUCCESS", b""))])
def test_a_zip_without_files_is_refused(
    tmp_path: Path, members: tuple[tuple[str, bytes], ...]
) -> None:
    assert refusal(tmp_path / "a.zip", zipped(*members)) == "a.zip: holds no file: send it again"


@pytest.mark.parametrize("method", [9, 93, 99])
def test_a_method_of_packing_that_is_not_known_is_refused(tmp_path: Path, method: int) -> None:
    packed = bytearray(zipped(("a.csv", ROWS)))
    struct.pack_into("<H", packed, 8, method)
    struct.pack_into("<H", packed, packed.index(b"PK\x01\x02") + 10, method)
    assert f"a.zip/a.csv: is packed by a method that is not known here ({method})" in refusal(
        tmp_path / "a.zip", bytes(packed)
    )


def test_a_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    packed = zipped(("a.csv", b"who,at\n1,2\n"), method=zipfile.ZIP_STORED)
    assert "a.zip/a.csv: is damaged (Bad CRC-32" in refusal(
        tmp_path / "a.zip", packed.replace(b"1,2", b"1,3", 1)
    )


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("kept", [0.2, 0.5, 0.99])
def test_an_archive_that_ends_early_is_refused(
    tmp_path: Path, pack: Callable[[bytes], bytes], kept: float
) -> None:
    content = b"".join(b"%d,%d\n" % (i, i * i) for i in range(9999))
    packed = pack(content)
    told = refusal(tmp_path / "a.csv", packed[: int(len(packed) * kept)])
    assert told.startswith("a.csv: is damaged (")
    assert told.endswith("): send the file again")


@pytest.mark.parametrize(
    "content",
    [
        gzipped(ROWS)[:12] + b"\xff" * 8 + gzipped(ROWS)[20:],
        gzipped(ROWS) + b"garbage",
        zstd(ROWS) + b"garbage",
        base64.b64decode(CHECKED_ZSTD)[:-1] + b"\0",
        b"PK\x07\x08" + zipped(("a.csv", ROWS))[:-9],
    ],
)
def test_an_archive_with_wrong_bytes_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path / "a.csv", content).startswith("a.csv: is damaged (")


def test_a_checked_zstd_is_read(tmp_path: Path) -> None:
    (file,) = inside(tmp_path / "a.csv", base64.b64decode(CHECKED_ZSTD))
    assert len(unpacked(file)) == 2800


def test_many_members_are_listed_once(tmp_path: Path) -> None:
    packed = zipped(*((f"{i}.csv", b"1\n") for i in range(9_000)), method=zipfile.ZIP_STORED)
    assert len(inside(tmp_path / "a.zip", packed)) == 9_000
