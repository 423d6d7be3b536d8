"""Files of whatever Spark's Hadoop can reach."""

import errno
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from py4j.java_gateway import JavaObject, is_instance_of
from pyspark.sql import SparkSession

from segspark.errors import IngestError
from segspark.ingest.files.stores import (
    AdvisedError,
    FoundFile,
    NoteSkipped,
    Store,
    first_magic,
    in_order,
    is_hidden,
    note_hidden,
    refusals,
    unnoted,
)
from segspark.settings.base import without_credentials
from segspark.tables.engine_errors import ENGINE_ERRORS, engine_reason, storage_advice

_MAGIC = frozenset("*?[{\\")
_BUFFER_BYTES = 1 << 20
_HADOOP_ERRORS = (
    ("AccessControlException", errno.EACCES),
    ("AccessDeniedException", errno.EACCES),
    ("Permission denied", errno.EACCES),
    ("No space left", errno.ENOSPC),
    ("QuotaExceededException", errno.EDQUOT),
    ("FileNotFoundException", errno.ENOENT),
)


class HadoopStore(Store):
    """Whatever Spark's own Hadoop file systems reach, with the session's credentials."""

    def __init__(self, spark: SparkSession) -> None:
        # There is no public way from PySpark to Hadoop's file systems.
        java: JavaObject = spark._jvm  # noqa: SLF001 - no public way
        session: JavaObject = spark._jsparkSession  # noqa: SLF001 - no public way
        self._gateway: JavaObject = spark.sparkContext._gateway  # noqa: SLF001 - no public way
        self._hadoop: JavaObject = java.org.apache.hadoop.fs
        self._java: JavaObject = java
        self._conf: JavaObject = session.sessionState().newHadoopConf()

    def find(self, location: str, *, note_skipped: NoteSkipped = unnoted) -> list[FoundFile]:
        with refusals(location), _engine_as_os_errors():
            system, path = self._at(location)
            path = system.makeQualified(path)
            parts = PurePosixPath(path.toUri().getPath()).parts
            fixed = first_magic(parts, _MAGIC)
            root = PurePosixPath(*parts[:fixed])
            is_named = False
            if system.exists(path):
                status = system.getFileStatus(path)
                is_named = not status.isDirectory()
                root = PurePosixPath(*parts[:-1] if is_named else parts)
                fitting = [status]
            elif "**" in parts:
                raise IngestError(
                    f"{without_credentials(location)}: `**` is for local paths: name the folder"
                )
            else:
                fitting = [] if fixed == len(parts) else list(system.globStatus(path) or ())
            found: dict[str, FoundFile] = {}
            for status in (below for start in fitting for below in self._files(system, start)):
                file = self._found(status, root)
                if is_named or not is_hidden(file.label):
                    found[file.address] = file
                else:
                    note_hidden(file.label, note_skipped)
        return in_order(found.values())

    def open(self, address: str) -> BinaryIO:
        # A copy is read at the disk's speed; through the bridge to Java it would be 7 MB a second.
        with refusals(address), _engine_as_os_errors():
            system, path = self._at(address)
            place = _temporary_file()
            try:
                local = self._hadoop.Path(f"file://{place}")
                system.copyToLocalFile(False, path, local, True)  # noqa: FBT003 - Java's own
                return Path(place).open("rb")
            finally:
                Path(place).unlink()

    def create(self, address: str) -> BinaryIO:
        with refusals(address), _engine_as_os_errors():
            system, path = self._at(address)
            upload = _Upload(_temporary_file(), lambda place: self._send(system, place, path))
        return cast(BinaryIO, io.BufferedWriter(upload, _BUFFER_BYTES))

    def _send(self, system: JavaObject, place: str, path: JavaObject) -> None:
        with _engine_as_os_errors():
            # Not by copyFromLocalFile: S3's own is by a second client, which needs another Netty
            # than Spark's, and fails after minutes.
            target = system.create(path)
            source = self._java.java.io.FileInputStream(place)
            copy = self._java.org.apache.hadoop.io.IOUtils.copyBytes
            copy(source, target, self._conf, True)  # noqa: FBT003 - Java takes no keywords

    def fingerprint(self, address: str) -> str:
        with refusals(address), _engine_as_os_errors():
            system, path = self._at(address)
            return self._fingerprint(system.getFileStatus(path))

    def delete(self, address: str) -> None:
        with refusals(address), _engine_as_os_errors():
            system, path = self._at(address)
            system.delete(path, True)  # noqa: FBT003 - Java takes no keywords

    def _at(self, address: str) -> tuple[JavaObject, JavaObject]:
        path = self._hadoop.Path(address)
        if not path.toUri().getPath():  # a bucket, without a slash behind it
            path = self._hadoop.Path(f"{address}/")
        return path.getFileSystem(self._conf), path

    def _files(self, system: JavaObject, start: JavaObject) -> Iterator[JavaObject]:
        if not start.isDirectory():
            yield start
            return
        below = system.listFiles(start.getPath(), True)  # noqa: FBT003 - Java takes no keywords
        while below.hasNext():
            yield below.next()

    def _found(self, status: JavaObject, root: PurePosixPath) -> FoundFile:
        uri = status.getPath().toUri()
        label = PurePosixPath(uri.getPath()).relative_to(root).as_posix()
        modified = datetime.fromtimestamp(status.getModificationTime() / 1000, UTC)
        # Hadoop writes file:/a, which nothing else would take for an address.
        address = f"{uri.getScheme()}://{uri.getAuthority() or ''}{uri.getPath()}"
        return FoundFile(address, label, self._fingerprint(status), modified)

    def _fingerprint(self, status: JavaObject) -> str:
        has_etag = is_instance_of(self._gateway, status, "org.apache.hadoop.fs.EtagSource")
        etag = status.getEtag() if has_etag else None
        # Where there is an etag, times may differ: some lists of files have finer ones than files.
        return f"{status.getLen()}-{etag or status.getModificationTime()}"


class _Upload(io.FileIO):
    """A file of this machine that becomes one of the storage when it is closed."""

    def __init__(self, place: str, send: Callable[[str], None]) -> None:
        super().__init__(place, "wb")
        self._place = place
        self._send = send

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        try:
            self._send(self._place)
        finally:
            Path(self._place).unlink(missing_ok=True)


def _temporary_file() -> str:
    handle, place = tempfile.mkstemp(prefix="segspark-")
    os.close(handle)
    return place


@contextmanager
def _engine_as_os_errors() -> Iterator[None]:
    try:
        yield
    except ENGINE_ERRORS as caught:
        reason = engine_reason(caught)
        advice = storage_advice(caught)
        if advice is not None:
            raise AdvisedError(errno.EIO, advice) from caught
        # The cause may be a storage's own error, whose kind only Hadoop's error around it tells.
        told = f"{caught} {reason}"
        number = next((number for word, number in _HADOOP_ERRORS if word in told), errno.EIO)
        raise OSError(number, reason) from caught
