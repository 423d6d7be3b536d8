"""Connect to MLflow without touching the process's own tracking address."""

import sqlalchemy
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from segspark.tracking.place import TrackingPlace

REFUSALS = (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError, ModuleNotFoundError)
"""What MLflow, its database or its server answer instead of a result."""


def connect(place: TrackingPlace) -> MlflowClient:
    """Return a client after one request that shows that somebody answers.

    Raises:
        MlflowException: Or another of `REFUSALS`: nobody answers, or the answer is a refusal.
    """
    if not place.is_server:
        _try_database(place)
    client = MlflowClient(tracking_uri=place.address, registry_uri=place.address)
    client.search_experiments(max_results=1)
    return client


def _try_database(place: TrackingPlace) -> None:
    """Open the database once: MLflow would try ten times, which takes two minutes."""
    place.check_host()
    place.make_folder()
    engine = sqlalchemy.create_engine(place.address)
    try:
        sqlalchemy.inspect(engine).get_table_names()
    finally:
        engine.dispose()
