"""Customers of the sweep's benchmark as a Parquet table: overlapping groups, and noise far out."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segspark.model.scores import Floats

_SEED = 20261122
_SHARES = (0.26, 0.21, 0.16, 0.13, 0.10, 0.08, 0.06)
_NOISE_RATIO = 0.04
_NOISE_FREEDOM = 3
_CENTRE_DEVIATION = 1.3
_MEAN = 3.0
"""Of every column, as Spark's StandardScaler leaves one: around zero Spark's bisecting splits
nothing, because it moves the centre by a part of its length."""
_ROWS_PER_GROUP = 50_000
"""So few that Spark gives every core its own part of the file."""


def feature_names(features: int) -> list[str]:
    """The columns of numbers."""
    return [f"feature_{number}" for number in range(1, features + 1)]


def draw_points(customers: int, features: int, *, seed: int = _SEED) -> Floats:
    """Draw a mixture of seven correlated Gaussians and a share of Student's t.

    Args:
        customers: Rows.
        features: Columns.
        seed: The same one draws the same points.

    Returns:
        Shape (customers, features); every column has mean 3 and deviation 1.
    """
    random = np.random.default_rng(seed)
    groups = random.choice(len(_SHARES), customers, p=_SHARES)
    points = random.standard_normal((customers, features))
    for group in range(len(_SHARES)):
        mixing = _mixing(random, features)
        centre = random.normal(0, _CENTRE_DEVIATION, features)
        members = groups == group
        points[members] = points[members] @ mixing + centre
    is_noise = random.random(customers) < _NOISE_RATIO
    points[is_noise] = random.standard_t(_NOISE_FREEDOM, (int(is_noise.sum()), features)) * 2
    scaled: Floats = (points - points.mean(axis=0)) / points.std(axis=0) + _MEAN
    return scaled


def write_points(path: Path, *, customers: int, features: int) -> Path:
    """Write drawn customers.

    Returns:
        The Parquet file: customer_id (string), `feature_names` (double), one row per customer.
    """
    points = draw_points(customers, features)
    ids = [f"C{number:08d}" for number in range(customers)]
    columns = dict(zip(feature_names(features), points.T, strict=True))
    table = pa.table({"customer_id": ids, **columns})
    pq.write_table(table, path, row_group_size=_ROWS_PER_GROUP)
    return path


def read_points(path: Path) -> Floats:
    """Read what `write_points` wrote, shape (n, d)."""
    names = [name for name in pq.read_schema(path).names if name != "customer_id"]
    columns = pq.read_table(path, columns=names).columns
    return np.column_stack([column.to_numpy() for column in columns])


def _mixing(random: np.random.Generator, features: int) -> Floats:
    """What turns independent normals into correlated ones of unequal widths."""
    widths = random.uniform(0.4, 1.2, features)
    correlated = np.eye(features) + random.normal(0, 0.6 / np.sqrt(features), (features, features))
    mixing: Floats = correlated * widths
    return mixing
