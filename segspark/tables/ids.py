"""Ids are content addresses: same inputs, same id, same rows, nothing to do."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

Part = str | int | Sequence[Any] | Mapping[str, Any] | None


def content_hash(*parts: Part) -> str:
    """Hexadecimal SHA-256 of the parts as canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def content_id(kind: str, *parts: Part) -> str:
    """An id such as `snapshot-1f0c9a…`: the kind and the first 64 bits of the parts' hash."""
    return f"{kind}-{content_hash(kind, *parts)[:16]}"
