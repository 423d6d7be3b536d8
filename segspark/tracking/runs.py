"""Runs of one experiment: a parent for each training, a child for each candidate."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run, RunStatus

from segspark.errors import TrackingError
from segspark.tracking.place import TrackingPlace
from segspark.tracking.records import CandidateRecord, TrainingRecord

TRAINING_TAG = "segspark.training_id"
KIND_TAG = "segspark.kind"
_PARENT_TAG = "mlflow.parentRunId"
_PARAMS_A_BATCH = 100
_TAG_CHARACTERS = 5000
_FINISHED = RunStatus.to_string(RunStatus.FINISHED)


@dataclass(frozen=True, slots=True)
class TrainingRuns:
    """The experiment of one segmentation.

    Attributes:
        client: Bound to the tracking place, never to the process's default.
        experiment_id: The experiment.
    """

    client: MlflowClient
    experiment_id: str

    @classmethod
    def open(cls, client: MlflowClient, *, place: TrackingPlace, experiment: str) -> "TrainingRuns":
        """Find the experiment, or create it.

        Raises:
            TrackingError: It was deleted in MLflow, or there is no place for its files.
        """
        found = client.get_experiment_by_name(experiment)
        if found is not None and found.lifecycle_stage == "deleted":
            raise TrackingError(
                f"the experiment {experiment} at {place.shown} was deleted in MLflow: restore it "
                f"there, or set tracking.experiment to another name"
            )
        if found is not None:
            return cls(client, str(found.experiment_id))
        if place.artifacts is None and not place.is_server:
            raise TrackingError(
                f"MLflow's database at {place.shown} keeps no files and the lake is not on a local "
                f"disk: set tracking.location to a server, or create the experiment {experiment} "
                f"with an artifact location"
            )
        return cls(client, client.create_experiment(experiment, place.artifacts))

    def finished(self, training_id: str) -> Run | None:
        """Return the finished parent of a training, the newest one; None if there is none."""
        done = [run for run in self._parents(training_id) if run.info.status == _FINISHED]
        return done[0] if done else None

    def discard(self, training_id: str) -> list[str]:
        """Mark every run of a training as killed and deleted; return the parents' run ids."""
        parents = [run.info.run_id for run in self._parents(training_id)]
        for run in self._search(f"tags.`{TRAINING_TAG}` = '{training_id}'"):
            if run.info.status != _FINISHED:
                self.client.set_terminated(run.info.run_id, "KILLED")
            self.client.delete_run(run.info.run_id)
        return parents

    def start(self, record: TrainingRecord) -> Run:
        """Open the parent with its parameters, tags and artifacts; it is left running."""
        tags = {
            TRAINING_TAG: record.training_id,
            KIND_TAG: "training",
            "segspark.model_id": record.model_id,
            "segspark.segmentation": record.segmentation,
            "segspark.snapshot_id": record.snapshot_id,
            "segspark.as_of_date": record.as_of_date.isoformat(),
            "segspark.verdict": record.verdict[:_TAG_CHARACTERS],
        } | {
            f"delta.version.{table}": str(version)
            for table, version in record.table_versions.items()
        }
        name = f"{record.as_of_date.isoformat()} {record.training_id[:12]}"
        run = self.client.create_run(self.experiment_id, tags=tags, run_name=name)
        run_id = run.info.run_id
        chosen = [candidate for candidate in record.candidates if candidate.is_chosen]
        self._log(run_id, record.parameters, chosen[0].metrics if chosen else {})
        self.client.log_text(run_id, record.model_json, "model.json")
        for name, text in record.files.items():
            self.client.log_text(run_id, text, name)
        return run

    def add_candidate(self, candidate: CandidateRecord, *, parent: Run) -> None:
        """Record one candidate as a finished child of the training's run."""
        tags = {
            TRAINING_TAG: parent.data.tags[TRAINING_TAG],
            KIND_TAG: "candidate",
            _PARENT_TAG: parent.info.run_id,
            "segspark.candidate_id": candidate.candidate_id,
            "segspark.is_chosen": str(candidate.is_chosen).lower(),
            "segspark.reason": candidate.reason[:_TAG_CHARACTERS],
        }
        run = self.client.create_run(self.experiment_id, tags=tags, run_name=candidate.candidate_id)
        parameters: dict[str, str | int | float] = {
            "algorithm": candidate.algorithm,
            "segment_count": candidate.segment_count,
            **candidate.parameters,
        }
        self._log(run.info.run_id, parameters, candidate.metrics)
        self.client.set_terminated(run.info.run_id)

    def _log(
        self,
        run_id: str,
        parameters: Mapping[str, str | int | float],
        metrics: Mapping[str, float],
    ) -> None:
        now = time.time_ns() // 1_000_000
        values = [Metric(name, float(value), now, 0) for name, value in metrics.items()]
        params = [Param(name, str(value)) for name, value in parameters.items()]
        self.client.log_batch(run_id, metrics=values, params=params[:_PARAMS_A_BATCH])
        for start in range(_PARAMS_A_BATCH, len(params), _PARAMS_A_BATCH):
            self.client.log_batch(run_id, params=params[start : start + _PARAMS_A_BATCH])

    def _parents(self, training_id: str) -> list[Run]:
        return self._search(
            f"tags.`{TRAINING_TAG}` = '{training_id}' and tags.`{KIND_TAG}` = 'training'"
        )

    def _search(self, condition: str) -> list[Run]:
        """Newest first, deleted ones left out."""
        found: list[Run] = []
        token: str | None = None
        while True:
            page = self.client.search_runs(
                [self.experiment_id], condition, order_by=["start_time DESC"], page_token=token
            )
            found.extend(page)
            token = page.token
            if not token:
                return found
