"""Build the folder of a registered model: the served file, its modules and model.json."""

from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import pandas as pd
from mlflow.models import Model, ModelSignature
from mlflow.pyfunc import save_model
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from segspark.model.segment_model import SegmentModel
from segspark.tracking.served_model import MODEL_ARTIFACT

_OUTPUT = (
    ("cluster_index", DataType.integer, True),
    ("runner_up_index", DataType.integer, False),
    ("centre_distance", DataType.double, True),
    ("probability_ratio", DataType.double, False),
    ("confidence_ratio", DataType.double, True),
    ("is_outlier", DataType.boolean, True),
)


def build_model_folder(
    model_json: str, *, folder: Path, run_id: str, logged_model_id: str, artifact_uri: str
) -> Path:
    """Write an MLflow model that loads without segspark, Spark or a pickle.

    Args:
        model_json: What `SegmentModel.to_json` wrote.
        folder: An empty folder to work in.
        run_id: MLflow's run that the model comes from.
        logged_model_id: MLflow's id of the logged model.
        artifact_uri: Where the folder is going to be kept.

    Returns:
        The model's folder, inside `folder`.
    """
    model = SegmentModel.from_json(model_json)
    source = folder / f"{MODEL_ARTIFACT}.json"
    source.write_text(model_json, encoding="utf-8")
    package = files("segspark")
    script = folder / "served_model.py"
    script.write_bytes((package / "tracking" / "served_model.py").read_bytes())
    target = folder / "saved"
    save_model(
        path=str(target),
        python_model=str(script),
        artifacts={MODEL_ARTIFACT: str(source)},
        code_paths=[str(_copy_modules(package, folder / "code" / "segspark"))],
        signature=_signature(model),
        input_example=pd.DataFrame({name: [1.0] for name in model.vector.names}),
        pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas")],
        mlflow_model=Model(
            artifact_path=artifact_uri,
            run_id=run_id,
            model_uuid=logged_model_id,
            model_id=logged_model_id,
        ),
    )
    return target


def _signature(model: SegmentModel) -> ModelSignature:
    """Any number goes in, and the served file itself refuses a missing feature.

    Declared as doubles, MLflow would refuse columns of 64-bit integers; declared as required, it
    would print the customers' rows in its refusal.
    """
    any_number: Callable[[], AnyType] = AnyType
    return ModelSignature(
        inputs=Schema([ColSpec(any_number(), name, required=False) for name in model.vector.names]),
        outputs=Schema([ColSpec(kind, name, required) for name, kind, required in _OUTPUT]),
    )


def _copy_modules(package: Traversable, target: Path) -> Path:
    """Copy what the served file imports; `package` may lie in a zip, as with --py-files."""
    (target / "model").mkdir(parents=True)
    for name in ("__init__.py", "errors.py"):
        (target / name).write_bytes((package / name).read_bytes())
    for module in (package / "model").iterdir():
        if module.name.endswith(".py"):
            (target / "model" / module.name).write_bytes(module.read_bytes())
    return target
