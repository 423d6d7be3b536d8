import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc import PyFuncModel
from mlflow.pyfunc.model import PythonModelContext
from mlflow.pyfunc.scoring_server import predictions_to_json

import segspark
from segspark.errors import ClusteringError
from segspark.model.clusters import Centres
from segspark.tracking.packaging import build_model_folder
from segspark.tracking.served_model import ServedModel
from tests.tracked import MODEL

CUSTOMERS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c"],
        "monetary_amount": [Decimal("812.50"), Decimal(0), Decimal(25000)],
        "recency_days": [3, 150, 7_000_000_000],
    },
    index=[7, 8, 9],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registered model's folder, as it is uploaded."""
    return build_model_folder(
        MODEL.to_json(),
        folder=tmp_path_factory.mktemp("a model"),
        run_id="run-1",
        logged_model_id="m-1",
        artifact_uri="file:///srv/mlartifacts",
    )


@pytest.fixture(scope="module")
def served(folder: Path) -> PyFuncModel:
    loaded: PyFuncModel = mlflow.pyfunc.load_model(str(folder))
    return loaded


def predict(served: PyFuncModel, frame: pd.DataFrame) -> pd.DataFrame:
    found = served.predict(frame)
    assert isinstance(found, pd.DataFrame)
    return found


def test_the_registered_model_scores_as_the_model_does(served: PyFuncModel) -> None:
    values = CUSTOMERS[["recency_days", "monetary_amount"]].to_numpy(dtype=np.float64)
    expected = MODEL.score_values(values)

    found = predict(served, CUSTOMERS)

    assert found.index.tolist() == [7, 8, 9]
    assert found["cluster_index"].tolist() == expected.cluster_index.tolist()
    assert found["runner_up_index"].tolist() == expected.runner_up_index.tolist()
    np.testing.assert_array_equal(found["centre_distance"], expected.centre_distance)
    np.testing.assert_array_equal(found["confidence_ratio"], expected.confidence)
    assert found["probability_ratio"].isna().all()
    assert found["is_outlier"].tolist() == MODEL.is_outlier(expected).tolist()
    assert len(set(found["cluster_index"])) > 1


def test_what_a_model_does_not_know_is_null_in_the_answer_of_a_server() -> None:
    alone = ServedModel()
    alone.model = replace(MODEL, clusters=Centres(np.zeros((1, 2))))
    answer = io.StringIO()

    context = PythonModelContext({}, None)  # type: ignore[no-untyped-call]
    found = alone.predict(context, CUSTOMERS.iloc[:1])
    predictions_to_json(found, answer)  # type: ignore[no-untyped-call]

    (row,) = json.loads(answer.getvalue())["predictions"]
    assert row["runner_up_index"] is None
    assert row["probability_ratio"] is None
    assert row["cluster_index"] == 0


def test_no_customers_give_no_rows(served: PyFuncModel) -> None:
    assert len(predict(served, CUSTOMERS.iloc[:0])) == 0


def test_a_missing_feature_is_told_in_one_sentence_without_the_customers(
    served: PyFuncModel,
) -> None:
    with pytest.raises(ClusteringError) as caught:
        predict(served, CUSTOMERS.drop(columns="recency_days"))

    assert str(caught.value) == (
        "the input has no column recency_days: give the features of the model "
        "(recency_days, monetary_amount) in natural units"
    )


@pytest.mark.parametrize("value", [None, "many", float("nan")])
def test_a_value_that_is_no_number_is_told_in_one_sentence(
    served: PyFuncModel, value: object
) -> None:
    frame = pd.DataFrame({"recency_days": [value], "monetary_amount": [1]})

    with pytest.raises(ClusteringError, match="number"):
        predict(served, frame)


def test_the_registered_model_holds_no_pickle_and_says_what_it_needs(
    served: PyFuncModel, folder: Path
) -> None:
    names = {path.name for path in folder.rglob("*")}

    assert not [name for name in names if name.endswith((".pkl", ".pickle", ".joblib"))]
    assert {"input_example.json", "served_model.py", "segment_model.py"} <= names
    needed = (folder / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in needed] == ["mlflow", "numpy", "pandas"]
    assert served.metadata.signature is not None


BLOCK_SPARK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("pyspark", "delta", "py4j"):
            raise ImportError(name)
sys.meta_path.insert(0, Block())
"""
LOAD_ELSEWHERE = f"""{BLOCK_SPARK}
import mlflow, pandas
model = mlflow.pyfunc.load_model(sys.argv[1])
found = model.predict(pandas.DataFrame({{"recency_days": [3], "monetary_amount": [812.5]}}))
assert not [n for n in sys.modules if n.partition(".")[0] in ("pyspark", "delta", "py4j")]
assert sys.modules["segspark"].__file__.endswith("/code/segspark/__init__.py")
assert "segspark.settings" not in sys.modules
print(found["cluster_index"].tolist()[0], found["centre_distance"].tolist()[0].hex())
"""


def test_the_registered_model_loads_where_neither_segspark_nor_spark_is_installed(
    folder: Path, tmp_path: Path
) -> None:
    found = subprocess.run(
        [sys.executable, "-c", LOAD_ELSEWHERE, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true"},
    )

    expected = MODEL.score_values(np.array([[3.0, 812.5]]))
    answer = f"{expected.cluster_index[0]} {float(expected.centre_distance[0]).hex()}"
    assert found.stdout.strip() == answer, found.stderr


BUILD_FROM_ZIP = """
import sys
from pathlib import Path
import segspark
from segspark.tracking.packaging import build_model_folder
assert ".zip" in segspark.__file__
build_model_folder(sys.argv[1], folder=Path("."), run_id="r", logged_model_id="m-1",
                   artifact_uri="file:///x")
"""


def test_the_model_is_built_from_a_zip_as_well(tmp_path: Path) -> None:
    package = Path(str(segspark.__file__)).parent
    with zipfile.ZipFile(tmp_path / "segspark.zip", "w") as archive:
        for file in package.rglob("*.py"):
            archive.write(file, Path("segspark") / file.relative_to(package))

    found = subprocess.run(
        [sys.executable, "-c", BUILD_FROM_ZIP, MODEL.to_json()],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "segspark.zip")},
    )

    assert found.returncode == 0, found.stderr
    assert (tmp_path / "saved" / "code" / "segspark" / "model" / "segment_model.py").is_file()
