"""The Java process behind a session: started quietly, asked what it can load."""

import os
import threading
from contextlib import suppress
from typing import IO

from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JJavaError
from pyspark import SparkConf, SparkContext
from pyspark.errors import PySparkRuntimeError
from pyspark.java_gateway import launch_gateway

from segspark.errors import SetupError

_NOISE = (b"WARNING: Using incubator modules", b"NOTE: Picked up ")
_NO_TRIM = b"[trimnative]"
"""Memory can be given back where glibc is; elsewhere Java says that it cannot."""
_STDERR = 2


def running_gateway() -> JavaGateway | None:
    """The Java process that an earlier session of this Python process left running, if any."""
    return getattr(SparkContext, "_gateway", None)


def submitted_gateway() -> JavaGateway:
    """Connect to the Java process that `spark-submit` started this program from."""
    return running_gateway() or launch_gateway()


def start_gateway(conf: SparkConf) -> JavaGateway:
    """Start a Java process for a local session.

    Raises:
        SetupError: Java refused to start.
    """
    read_end, write_end = os.pipe()
    output = _JavaOutput(os.fdopen(read_end, "rb"))
    try:
        gateway = launch_gateway(conf, {"stdout": write_end, "stderr": write_end})
    except (PySparkRuntimeError, OSError) as error:
        os.close(write_end)
        reason = output.reason() or str(error)
        raise SetupError(f"Spark's Java process did not start: {reason}") from error
    os.close(write_end)
    output.release()
    return gateway


def start_context(conf: SparkConf, gateway: JavaGateway) -> SparkContext:
    """Start Spark in the Java process.

    Raises:
        SetupError: Spark refused; the sentence ends with its reason.
    """
    try:
        return SparkContext(conf=conf, gateway=gateway)
    except Py4JJavaError as error:
        reason = error.java_exception.toString().splitlines()[0]
        raise SetupError(f"Spark did not start: {reason}") from error


def can_load(gateway: JavaGateway, class_name: str) -> bool:
    """Whether the Java process finds a class, also in jars that came with the job."""
    loader = gateway.jvm.org.apache.spark.util.Utils.getContextOrSparkClassLoader()
    try:
        loader.loadClass(class_name)
    except Py4JJavaError:
        return False
    return True


class _JavaOutput:
    """What Java prints: held back while it starts, then passed on, without the greetings.

    A failed start thus ends in one sentence, and the launcher's own lines, which no log level
    reaches, never show.
    """

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._held: list[bytes] | None = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, name="java-output", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Pass on what was held back, and from now on every line."""
        with self._lock:
            for line in self._held or ():
                os.write(_STDERR, line)
            self._held = None

    def reason(self) -> str:
        """Why Java ended: its first line that speaks of an error, and the one after it."""
        self._thread.join(timeout=5)
        lines = [line.decode("utf-8", "replace").strip() for line in self._held or ()]
        first = next((n for n, line in enumerate(lines) if "error" in line.lower()), 0)
        return " ".join(lines[first : first + 2])

    def _read(self) -> None:
        with self._pipe, suppress(OSError):
            for line in self._pipe:
                if not line.startswith(_NOISE) and _NO_TRIM not in line:
                    self._pass(line)

    def _pass(self, line: bytes) -> None:
        with self._lock:
            if self._held is None:
                os.write(_STDERR, line)
            else:
                self._held.append(line)
