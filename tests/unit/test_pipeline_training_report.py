from pathlib import Path

import pytest

from segspark.errors import StageError
from segspark.pipeline.training_report import write_report


def test_a_report_is_files_of_the_training_in_a_local_lake(tmp_path: Path) -> None:
    for text in ("<svg>old</svg>", "<svg/>"):
        write_report({"elbow.svg": text}, tmp_path, "training-abc")

    assert (tmp_path / "reports" / "training-abc" / "elbow.svg").read_text() == "<svg/>"
    write_report({"elbow.svg": "<svg/>"}, None, "abc")


def test_a_place_that_cannot_be_written_to_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("in the way")

    with pytest.raises(StageError, match="the report of the training cannot be written"):
        write_report({"elbow.svg": "<svg/>"}, tmp_path, "abc")
