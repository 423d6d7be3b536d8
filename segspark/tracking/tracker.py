"""MLflow as the stages see it: record a training, mark a model as published.

Importing MLflow takes seconds, so it is imported when a tracker is opened, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from segspark.errors import TrackingError
from segspark.settings.lake import TrackingSettings
from segspark.tracking.calls import IMPATIENT, environment, quietly, tracking_error
from segspark.tracking.place import TrackingPlace
from segspark.tracking.records import TrainingRecord

if TYPE_CHECKING:
    from segspark.tracking.registry import ModelVersions
    from segspark.tracking.runs import TrainingRuns

Alias = Literal["candidate", "published"]


@dataclass(frozen=True, slots=True)
class Tracker:
    """The experiment and the registered model of one segmentation.

    Attributes:
        place: The server or database that holds them.
        runs: One parent run per training.
        versions: One version per training.
    """

    place: TrackingPlace
    runs: TrainingRuns
    versions: ModelVersions

    @classmethod
    def open(
        cls, settings: TrackingSettings, *, lake_folder: Path | None, segmentation: str
    ) -> Self:
        """Connect, and create the experiment if it is not there.

        The process's own MLflow settings (tracking address, active run) are neither used nor
        changed. A new SQLite file takes some seconds to set up.

        Args:
            settings: Where the records go.
            lake_folder: The lake's folder, which holds the default SQLite file; None when the lake
                is not on a local disk.
            segmentation: Name of the segmentation, which names experiment and model.

        Raises:
            TrackingError: The place is not given, cannot be reached or refuses.
        """
        place = TrackingPlace.resolve(settings, lake_folder=lake_folder)
        with environment():
            from segspark.tracking import connecting, registry, runs  # noqa: PLC0415 - slow

        with quietly(IMPATIENT), _in_a_sentence(place):
            client = connecting.connect(place)
            experiment = f"{settings.experiment}/{segmentation}"
            return cls(
                place,
                runs.TrainingRuns.open(client, place=place, experiment=experiment),
                registry.ModelVersions(client, f"segspark-{segmentation}"),
            )

    def record_training(self, record: TrainingRecord) -> str:
        """Record a training with all candidates, register its model, name it `candidate`.

        A training that is recorded already is left as it is. What a killed process left of one is
        deleted and recorded anew.

        Returns:
            The version of the registered model.

        Raises:
            TrackingError: MLflow cannot be reached or refuses.
        """
        with quietly(), _in_a_sentence(self.place):
            version = self._recorded_version(record.training_id)
            if version is None:
                version = self._record(record)
            self.versions.point("candidate", version=version)
            return version

    def mark_published(self, model_id: str) -> str:
        """Move the alias `published` to a model; doing so again changes nothing.

        Returns:
            The version of the registered model.

        Raises:
            TrackingError: The model is not registered, or MLflow cannot be reached or refuses.
        """
        with quietly(), _in_a_sentence(self.place):
            version = self.versions.newest(tag="model_id", value=model_id)
            if version is None:
                raise TrackingError(
                    f"model {model_id} is no version of {self.versions.name} at "
                    f"{self.place.shown}: train again, or correct tracking.location"
                )
            self.versions.point("published", version=str(version.version))
            return str(version.version)

    def model_address(self, alias: Alias = "published") -> str:
        """Return the address that `mlflow.pyfunc.load_model` takes for the model under an alias."""
        return f"models:/{self.versions.name}@{alias}"

    def _recorded_version(self, training_id: str) -> str | None:
        run = self.runs.finished(training_id)
        version = self.versions.newest(tag="training_id", value=training_id)
        is_whole = run is not None and version is not None and version.run_id == run.info.run_id
        return str(version.version) if version is not None and is_whole else None

    def _record(self, record: TrainingRecord) -> str:
        self.versions.discard(self.runs.discard(record.training_id))
        parent = self.runs.start(record)
        for candidate in record.candidates:
            self.runs.add_candidate(candidate, parent=parent)
        version = self.versions.register(record, parent=parent)
        self.runs.client.set_terminated(parent.info.run_id)
        return version


@contextmanager
def _in_a_sentence(place: TrackingPlace) -> Iterator[None]:
    from segspark.tracking.connecting import REFUSALS  # noqa: PLC0415 - slow

    try:
        yield
    except REFUSALS as error:
        raise tracking_error(error, place=place) from error
