"""What cannot be generated is refused in one sentence, and nothing is written."""

import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts import generate_transactions
from scripts.synthetic.generating import generate
from scripts.synthetic.request import Request
from segspark.errors import ConfigError, SegsparkError, StorageError
from tests.synthetic_shop import SMALL, hashes, truth_of


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (Request(0, 1), "0 lines for 1 customers: give at least one line"),
        (Request(10**9, 10**8), "1 to 50,000,000 customers"),
        (Request(100, 50), "2.0 lines for each: give 6 to 2,000"),
        (Request(3_000_000, 1_000), "3,000.0 lines for each"),
        (Request(100, 5, days=0), "--days 0"),
        (Request(100, 5, first_day=date(1979, 12, 31)), "--first-day 1979-12-31"),
        (Request(100, 5, first_day=date(2090, 1, 1)), "from 1980-01-01 to 2090-01-01"),
        (Request(100, 5, dirty_share=1.5), "--dirty-share 1.5"),
        (Request(100, 5, increment_lines=101), "--increment-lines 101: give 0 to 100"),
        (Request(10**8, 10**6, increment_lines=2 * 10**6), "give 0 to 1,000,000"),
        (Request(100, 5, seed=-1), "--seed -1"),
    ],
)
def test_a_wrong_number_is_refused(request_: Request, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        request_.check()


def test_nothing_is_made_for_a_wrong_number(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--dirty-share 2"):
        generate(Request(100, 5, dirty_share=2), tmp_path / "shop")
    assert not (tmp_path / "shop").exists()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    before = hashes(tmp_path)
    with pytest.raises(StorageError, match="is not empty"):
        generate(SMALL, tmp_path)
    assert hashes(tmp_path) == before


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("", encoding="utf-8")
    with pytest.raises(SegsparkError, match="cannot be written"):
        generate(SMALL, tmp_path / "shop")


def test_a_disk_without_room_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=100_000))
    with pytest.raises(StorageError, match="about 1 MB are needed, and 0 MB free"):
        generate(SMALL, tmp_path / "shop")
    assert not list((tmp_path / "shop").iterdir())


@pytest.mark.parametrize("request_", [Request(6, 1, increment_lines=1), Request(60, 9, days=1)])
def test_a_tiny_shop_is_a_shop_too(tmp_path: Path, request_: Request) -> None:
    generate(request_, tmp_path / "shop")
    truth = truth_of(tmp_path / "shop")
    assert truth["history"]["customers"]["all"] == request_.customers
    increment = truth["increment"] or {"clean": {"all": {"lines": 0}}}
    assert increment["clean"]["all"]["lines"] == request_.increment_lines


def test_the_command_says_what_it_wrote_and_refuses_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["generate_transactions", str(tmp_path / "shop"), "--lines", "2000"]
    monkeypatch.setattr(sys, "argv", command)
    assert generate_transactions.main() == 0
    assert "clean lines of 85 customers" in capsys.readouterr().out
    assert generate_transactions.main() == 1
    answer = capsys.readouterr().err
    assert answer.startswith("error: ")
    assert answer.count("\n") == 1
