"""One block: some customers' points, and the bytes and batches that hold them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from segspark.clustering.one_thread import one_thread
from segspark.clustering.stepping import SumsOf
from segspark.errors import ClusteringError
from segspark.model.embedding import Embedding
from segspark.model.scores import Floats

BLOCK_COLUMNS = "places binary, points binary"

Batches = Iterator[pa.RecordBatch]
Hashes = NDArray[np.int64]
Held = tuple[bytes, bytes]
"""Places (int64) and points (float64, row by row) of a block."""
_Figure = TypeVar("_Figure")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some customers' points, in the order of their places.

    Attributes:
        places: A hash of each customer_id, shape (n,).
        points: Shape (n, d).
    """

    places: Hashes
    points: Floats

    def sums(self, sums_of: Sequence[SumsOf]) -> list[Any]:
        """Work several figures out."""
        return on_one_thread(lambda points: [each(points) for each in sums_of], self.points)

    def lowest(self, rows: int) -> "Block":
        """Take those of the lowest hashes."""
        return Block(self.places[:rows], self.points[:rows])

    def embedded(self, embedding: Embedding) -> "Block":
        """The same customers' embedded points."""
        return Block(self.places, embedding.embed(self.points))

    def distinct(self, *, most: int) -> Floats:
        """Find distinct points, all of them or `most`."""
        few: Floats = np.unique(self.points[: 16 * most], axis=0)
        return few[:most] if len(few) >= most else np.unique(self.points, axis=0)[:most]


def on_one_thread(figure_of: Callable[..., _Figure], *of: object) -> _Figure:
    """Work a figure out in a task, equal on any number of cores."""
    with one_thread():
        return figure_of(*of)


def bytes_of(block: Block) -> Held:
    """Turn a block into what executors hold."""
    return block.places.tobytes(), block.points.tobytes()


def block_of(held: Held) -> Block:
    """Read what `bytes_of` gave, without copying."""
    places = np.frombuffer(held[0], dtype=np.int64)
    return Block(places, np.frombuffer(held[1]).reshape(len(places), -1))


def packed(batches: Batches) -> Batches:
    """Turn batches of place (bigint), vector (array<double>) into one block."""
    places: list[Hashes] = []
    points: list[Floats] = []
    for batch in batches:
        if batch.num_rows:
            places.append(batch.column("place").to_numpy(zero_copy_only=False))
            points.append(points_of(batch))
    if places:
        only_width(part.shape[1] for part in points)
        block = [np.concatenate(places).tobytes(), np.concatenate(points).tobytes()]
        yield pa.RecordBatch.from_arrays(
            [pa.array([part], pa.binary()) for part in block], names=["places", "points"]
        )


def points_of(batch: pa.RecordBatch) -> Floats:
    """Read a batch's `vector` column, array<double>, as shape (n, d).

    Raises:
        ClusteringError: The vectors have not all as many coordinates, one has none, or one of
            these is missing or infinite.
    """
    vectors = batch.column("vector")
    lengths = vectors.value_lengths().fill_null(0).to_numpy()
    if not len(lengths):
        return np.empty((0, 0))
    width = only_width(np.unique(lengths).tolist())
    points: Floats = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    if not np.isfinite(points).all():
        raise ClusteringError(
            "a customer's vector holds a value that is missing or infinite: say in "
            "training.vector.missing_values what a missing one counts as"
        )
    return points


def only_width(widths: Iterable[int]) -> int:
    """The number of coordinates that all vectors have."""
    found = sorted(set(widths))
    if len(found) == 1 and found[0] > 0:
        return found[0]
    raise ClusteringError(
        f"customers' vectors have {' or '.join(map(str, found))} coordinates: "
        f"give every customer a number for each of the same columns"
    )
