"""An S3 server of this process, and what a Spark session needs to reach it."""

import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from urllib.parse import quote

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer
from pyspark.sql import SparkSession

LOGIN = {"AWS_ACCESS_KEY_ID": "KEYOFSOMEBODY", "AWS_SECRET_ACCESS_KEY": "secret of somebody"}
"""The server lets everybody in, but while it is strict."""


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A running server.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    port: int

    @property
    def endpoint(self) -> str:
        """Its address, as Spark's `AWS_ENDPOINT_URL` takes it."""
        return f"http://127.0.0.1:{self.port}"

    def make_bucket(self) -> str:
        """A bucket with a name of its own, since Hadoop keeps what it knows of a bucket."""
        name = f"shop-{uuid.uuid4().hex[:8]}"
        self._ask("PUT", f"/{name}")
        return name

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Store an object."""
        self._ask("PUT", f"/{bucket}/{quote(key)}", content)

    def touch(self, bucket: str, key: str, modified_at: datetime) -> None:
        """Give an object another time and leave its bytes as they are."""
        (store,) = s3_backends[DEFAULT_ACCOUNT_ID].values()
        store.buckets[bucket].keys[key].last_modified = modified_at

    def let_in(self, spark: SparkSession) -> None:
        """Tell a running session where the server is; a process of its own takes `environment`."""
        spark.conf.set("fs.s3a.endpoint", self.endpoint)
        spark.conf.set("fs.s3a.access.key", LOGIN["AWS_ACCESS_KEY_ID"])
        spark.conf.set("fs.s3a.secret.key", LOGIN["AWS_SECRET_ACCESS_KEY"])

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a new Spark finds the server."""
        return {**LOGIN, "AWS_ENDPOINT_URL": self.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}

    @contextmanager
    def strict(self) -> Iterator[None]:
        """Inside the block nobody is let in, since nobody has an account."""
        before = json.loads(self._ask("POST", "/moto-api/reset-auth", b"0"))
        try:
            yield
        finally:
            count = before["PREVIOUS_INITIAL_NO_AUTH_ACTION_COUNT"]
            self._ask("POST", "/moto-api/reset-auth", count.encode())

    def _ask(self, method: str, path: str, content: bytes = b"") -> bytes:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            # Whoever gives no name may not replace an object; whether it is signed nobody looks at.
            connection.request(method, path, content, {"Authorization": "AWS shop:unsigned"})
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == 200, told
            return told
        finally:
            connection.close()


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Start a server; all that it holds is gone afterwards."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        yield ObjectStore(port)
    finally:
        server.stop()
