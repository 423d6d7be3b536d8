"""A model small enough to be worked out by hand, for what MLflow keeps and serves of it."""

import numpy as np

from segspark.model.clusters import Centres
from segspark.model.segment_model import SegmentModel
from segspark.model.vector import FeatureVector, ValueRule, VectorColumn

MODEL = SegmentModel(
    model_id="model-a",
    training_id="training-a",
    algorithm="kmeans",
    vector=FeatureVector(
        (
            VectorColumn(ValueRule("recency_days"), 0.0, 6.0, 3.0, 1.5),
            VectorColumn(ValueRule("monetary_amount"), -np.inf, np.inf, 5.0, 2.0),
        )
    ),
    clusters=Centres(np.array([[0.1, 0.2], [1.0, -1.0], [-1.0, 1.0]])),
    outlier_distance=1.0,
)
