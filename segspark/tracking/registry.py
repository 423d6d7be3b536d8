"""Versions of one registered model, and the aliases that point at them."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModelOutput, Run
from mlflow.entities.model_registry import ModelVersion

from segspark.tracking.packaging import build_model_folder
from segspark.tracking.records import TrainingRecord


@dataclass(frozen=True, slots=True)
class ModelVersions:
    """The registered model of one segmentation.

    Attributes:
        client: Bound to the tracking place, never to the process's default.
        name: The registered model's name.
    """

    client: MlflowClient
    name: str

    def newest(self, *, tag: str, value: str) -> ModelVersion | None:
        """Return the highest version that carries a tag; None if there is none."""
        found = self._search(f"name = '{self.name}' and tags.{tag} = '{value}'")
        return max(found, key=lambda version: int(version.version), default=None)

    def discard(self, run_ids: list[str]) -> None:
        """Delete the versions that come from these runs."""
        for run_id in run_ids:
            for version in self._search(f"name = '{self.name}' and run_id = '{run_id}'"):
                self.client.delete_model_version(self.name, version.version)

    def register(self, record: TrainingRecord, *, parent: Run) -> str:
        """Log the training's model under its run and make it a version; return the version."""
        run_id = parent.info.run_id
        tags = {
            "model_id": record.model_id,
            "training_id": record.training_id,
            "run_id": run_id,
        }
        logged = self.client.create_logged_model(
            parent.info.experiment_id, name=self.name, source_run_id=run_id, tags=tags
        )
        with tempfile.TemporaryDirectory(prefix="segspark-model-") as folder:
            saved = build_model_folder(
                record.model_json,
                folder=Path(folder),
                run_id=run_id,
                logged_model_id=logged.model_id,
                artifact_uri=logged.artifact_location,
            )
            self.client.log_model_artifacts(logged.model_id, str(saved))
        self.client.finalize_logged_model(logged.model_id, "READY")
        self.client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        if not self.client.search_registered_models(f"name = '{self.name}'"):
            self.client.create_registered_model(self.name)
        # Not "models:/<id>": a database store would look that up at the process's default place.
        version = self.client.create_model_version(
            self.name, logged.artifact_location, run_id, tags=tags, model_id=logged.model_id
        )
        return str(version.version)

    def point(self, alias: str, *, version: str) -> None:
        """Move an alias to a version."""
        self.client.set_registered_model_alias(self.name, alias, version)

    def _search(self, condition: str) -> list[ModelVersion]:
        found: list[ModelVersion] = []
        token: str | None = None
        while True:
            page = self.client.search_model_versions(condition, page_token=token)
            found.extend(page)
            token = page.token
            if not token:
                return found
