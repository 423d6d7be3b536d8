"""The same seed gives the same segments on any number of cores."""

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np

from segspark.clustering.batched import BatchedEngine, fit_in_memory
from segspark.clustering.embedded_fits import fit_embeddings, fit_on_embeddings
from segspark.clustering.engine import candidates_of
from segspark.settings.training import Algorithm, Covariance, EmbeddingMethod, SweepSettings
from tests.point_blocks import memory_blocks

SETTINGS = SweepSettings(
    algorithms=tuple(Algorithm),
    covariances=(Covariance.FULL, Covariance.SPHERICAL),
    embeddings=(EmbeddingMethod.NONE, EmbeddingMethod.PCA),
    fewest_segments=3,
    most_segments=4,
    mixture_restarts=2,
    micro_cluster_count=60,
)


def fitted_models() -> list[dict[str, Any]]:
    """Each candidate's model and assignments, of points in several blocks and of points at hand."""
    generator = np.random.default_rng(3)
    groups = np.repeat(12.0 * np.eye(3, 6), 1000, axis=0)
    points = groups + generator.normal(size=(3000, 6))
    blocks, candidates = memory_blocks(points, parts=3), candidates_of(SETTINGS)
    embeddings = fit_embeddings(blocks, SETTINGS, SETTINGS.embeddings)
    in_blocks = fit_on_embeddings(
        blocks,
        candidates,
        embeddings,
        lambda these, own: BatchedEngine().fit(these, own, SETTINGS, progress=lambda _: None),
    )
    at_hand = fit_in_memory(points, candidates, SETTINGS, embeddings=embeddings)
    told = [(each.candidate.candidate_id, each.clusters) for each in in_blocks]
    told += [(candidate.candidate_id, model) for candidate, model in at_hand.items()]
    return [
        {"id": name, "model": model.to_dict(), "assigned": model.assign(points).tolist()}
        for name, model in told
        if model is not None
    ]


def models_on(threads: int) -> list[dict[str, Any]]:
    """The same in a process whose linear algebra may use so many threads."""
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    code = f"import json; from {__name__} import fitted_models; print(json.dumps(fitted_models()))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | dict.fromkeys(names, str(threads)),
        capture_output=True,
        text=True,
        check=True,
    )
    models: list[dict[str, Any]] = json.loads(done.stdout)
    return models


def test_every_algorithm_gives_the_same_segments_on_one_core_and_on_several() -> None:
    alone, several = models_on(1), models_on(4)

    families = {each["id"].removeprefix("pca-").split("-")[0] for each in alone}
    assert families == {algorithm.value for algorithm in Algorithm}
    assert [each["id"] for each in alone] == [each["id"] for each in several]
    for one, other in zip(alone, several, strict=True):
        assert one["assigned"] == other["assigned"], one["id"]
        # To the last digit, so that the same training makes the same model anywhere.
        assert one["model"] == other["model"], one["id"]
