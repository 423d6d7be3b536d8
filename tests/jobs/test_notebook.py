from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

from segspark.pipeline.train import find_model
from tests.jobs.conftest import Published

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "tour.ipynb"


def read_tour() -> NotebookNode:
    read: Callable[..., NotebookNode] = nbformat.read  # which has no types of its own
    return read(NOTEBOOK, as_version=4)


def test_the_tour_shows_the_published_tables(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = published.workspace.lake
    monkeypatch.setenv("SEGSPARK_LAKE", str(lake.local_folder))
    notebook = read_tour()

    NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
    ).execute()

    shown = [o.data for cell in notebook.cells for o in cell.get("outputs", []) if "data" in o]
    model = find_model(lake, published.id_of("train"))
    assert model is not None
    assert sum("image/png" in data for data in shown) == 5
    assert repr(model["verdict"]) in [data.get("text/plain") for data in shown]


def test_the_committed_tour_holds_no_outputs() -> None:
    notebook = read_tour()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
