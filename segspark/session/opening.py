"""The one door to Spark: `open_session`, and `spark_session` which closes it again."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from segspark.session.local import build_session
from segspark.session.submitted import check_active, complete_session, is_submitted
from segspark.settings.lake import SparkSettings


def open_session(settings: SparkSettings, *, app_name: str) -> SparkSession:
    """Return the session to work with: the active one, the submitted job's, or a new local one.

    Args:
        settings: Read for a local session only; a cluster keeps what it gives.
        app_name: What Spark calls the job, unless `spark-submit --name` said otherwise.

    Raises:
        SetupError: Java, Spark or Delta is not as segspark needs it; one sentence says what to do.
    """
    active = SparkSession.getActiveSession()
    if active is not None:
        return check_active(active)
    if is_submitted():
        return complete_session(app_name=app_name)
    return build_session(settings, app_name=app_name)


@contextmanager
def spark_session(settings: SparkSettings, *, app_name: str) -> Iterator[SparkSession]:
    """Like `open_session`; a session that was started here is stopped at the end, no other."""
    was_active = SparkSession.getActiveSession() is not None
    spark = open_session(settings, app_name=app_name)
    try:
        yield spark
    finally:
        if not was_active:
            spark.stop()
