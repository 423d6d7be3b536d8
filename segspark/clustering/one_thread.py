"""Linear algebra by a single thread, whatever the machine has."""

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread() -> Iterator[None]:
    """Within the context BLAS and OpenMP use one thread.

    Sums are then equal on any number of cores, among which BLAS would split them; and on small
    arrays threads wait for each other most of the time.
    """
    with threadpool_limits(limits=1):
        yield
