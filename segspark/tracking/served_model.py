"""The registered model: MLflow runs this file where the model is loaded, without Spark or a JVM.

Beside it in the model lie `model.json` and the few modules of segspark that it imports.
"""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from segspark.errors import ClusteringError
from segspark.model.scores import NO_RUNNER_UP, Floats
from segspark.model.segment_model import SegmentModel

MODEL_ARTIFACT = "model"
"""The artifact that holds what `SegmentModel.to_json` wrote."""


class ServedModel(PythonModel):
    """Feature values in natural units in, clusters out."""

    model: SegmentModel

    def load_context(self, context: PythonModelContext) -> None:
        """Read the model; MLflow calls this once before any prediction."""
        text = Path(context.artifacts[MODEL_ARTIFACT]).read_text(encoding="utf-8")
        self.model = SegmentModel.from_json(text)

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 - MLflow passes it
        model_input: pd.DataFrame,
        params: dict[str, Any] | None = None,  # noqa: ARG002 - MLflow passes it
    ) -> pd.DataFrame:
        """Score customers, one row in, one row out, under the same index.

        Args:
            context: Unused; MLflow passes it.
            model_input: The features of the model's vector by name, any kind of number, decimals
                included; other columns are ignored. No rows give no rows.
            params: Unused; MLflow passes it.

        Returns:
            Columns cluster_index, runner_up_index (missing when there is one cluster),
            centre_distance (units of the vector), probability_ratio (missing for models without
            probabilities), confidence_ratio and is_outlier.

        Raises:
            ClusteringError: A feature is missing, or a value is none that can be scored.
        """
        scores = self.model.score_values(self._values(model_input))
        runner_up = pd.Series(scores.runner_up_index, index=model_input.index, dtype="Int32")
        probability = pd.Series(scores.probability, index=model_input.index, dtype="Float64")
        return pd.DataFrame(
            {
                "cluster_index": scores.cluster_index,
                "runner_up_index": runner_up.mask(runner_up == NO_RUNNER_UP),
                "centre_distance": scores.centre_distance,
                "probability_ratio": probability,
                "confidence_ratio": scores.confidence,
                "is_outlier": self.model.is_outlier(scores),
            },
            index=model_input.index,
        )

    def _values(self, frame: pd.DataFrame) -> Floats:
        names = list(self.model.vector.names)
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise ClusteringError(
                f"the input has no column {', '.join(missing)}: give the features of the model "
                f"({', '.join(names)}) in natural units"
            )
        try:
            return frame[names].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError) as error:
            raise ClusteringError(
                f"a value of {', '.join(names)} is no number: give numbers in natural units"
            ) from error


mlflow.models.set_model(ServedModel())
