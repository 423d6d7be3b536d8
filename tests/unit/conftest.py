"""What several files of tests without Spark share."""

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """On data this small the threads of BLAS wait for each other most of the time."""
    with threadpool_limits(limits=1):
        yield
