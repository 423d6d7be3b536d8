"""Content as senders pack it: the same bytes whenever it is made, since they name tests."""

import gzip
import zipfile
from io import BytesIO

import pyarrow as pa


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zstd(content: bytes) -> bytes:
    """A frame that tells the size of what is in it."""
    return bytes(pa.compress(content, "zstd", asbytes=True))


def streamed_zstd(content: bytes) -> bytes:
    """A frame that does not tell its size, as of a sender who reads from a pipe."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return packed.getvalue()
