"""What people read of a training: files beside the lake, and artifacts in MLflow."""

import csv
import json
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from segspark.clustering.sweep import Sweep
from segspark.errors import StageError
from segspark.pipeline.picturing import micro_model_of, pictures_of
from segspark.pipeline.tried_candidates import Trained

_MICRO_CLUSTER_NAMES = (
    "candidate_id",
    "micro_cluster_index",
    "cluster_index",
    "customer_count",
    "radius",
)


def report_of(trained: Trained, training_id: str) -> dict[str, str]:
    """The verdict, the candidates with all their figures, what they told, and the pictures.

    Args:
        trained: What came of the training.
        training_id: Its id.

    Returns:
        Text by the name of its file.
    """
    return {
        "verdict.txt": f"{trained.verdict}\n",
        **{
            f"{table.name.removeprefix('segment_')}.csv": _csv(table.schema.names, rows)
            for table, rows in trained.tables(training_id).items()
        },
        **_micro_clusters(trained.sweep),
        **pictures_of(trained.sweep),
    }


def _micro_clusters(sweep: Sweep) -> dict[str, str]:
    """The micro-clusters that segments are made of, where a candidate is on such."""
    rows = [
        (row.candidate_id, index, int(segment), int(count), float(radius))
        for row in sweep.selection.rows
        if (model := micro_model_of(row)) is not None
        for index, (segment, count, radius) in enumerate(
            zip(model.segments, model.micro.counts, model.micro.radii, strict=True)
        )
    ]
    return {"micro_clusters.csv": _csv(_MICRO_CLUSTER_NAMES, rows)} if rows else {}


def _csv(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows under their names: lists are JSON, what is NULL in a table is empty here."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, list) else value


def write_report(report: Mapping[str, str], lake_folder: Path | None, training_id: str) -> None:
    """Write the folder of the training below `reports/` in the lake, over what is there.

    Args:
        report: Text by the name of the file.
        lake_folder: Folder of a local lake; None: MLflow alone has the files.
        training_id: Such as `training-0123456789abcdef`: the folder's name.

    Raises:
        StageError: The folder cannot be written to.
    """
    if lake_folder is None:
        return
    folder = lake_folder / "reports" / training_id
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in report.items():
            (folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StageError(
            f"{folder}: the report of the training cannot be written ({error.strerror}): "
            f"let this user write there, or remove what is in the way"
        ) from error
