"""Files that nobody has described yet, and what is inferred from them."""

from pathlib import Path
from typing import Any

import yaml

from segspark.ingest.inferring.profiles import Choice
from segspark.ingest.inferring.source import Inferred, infer_source
from segspark.pipeline.inferring_yaml import as_yaml
from segspark.settings.loading import load_settings
from segspark.settings.sources import Source

ROWS = (
    ("Kunde", "Bestellnummer", "Datum", "Artikel", "Menge", "Betrag"),
    ("10023", "R1", "31.01.2022", "T-1", "2", "1.009,90"),
    ("10024", "R2", "01.02.2022", "T-2", "1", "5,00"),
    ("0", "R3", "02.02.2022", "VERSAND", "1", "4,90"),
    ("10023", "C4", "03.02.2022", "T-1", "-1", "-9,90"),
    ("10024", "C5", "04.02.2022", "T-2", "-1", "-5,00"),
    ("10024", "R6", "05.02.2022", "T-3", "1", "0,00"),
)
GERMAN = "\n".join(";".join(row) for row in ROWS) + "\n"
PLAIN = "customer_id,ordered_at,amount\n7,2022-01-31,9.90\n8,2022-02-01,5.00\n"


def shop(folder: Path, content: str | bytes = GERMAN, name: str = "shop.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(*rows: tuple[object, ...], header: str) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])


def inferred(folder: Path, content: str) -> Inferred:
    return infer_source(shop(folder, content))


def columns(found: Inferred) -> dict[str, object]:
    """The source's names by ours."""
    mapped = found.source["columns"]
    assert isinstance(mapped, dict)
    return {target: choice.value for target, choice in mapped.items()}


def choice(found: Inferred, *place: str) -> Choice:
    node: Any = found.source
    for key in place:
        node = node[key]
    assert isinstance(node, Choice)
    return node


def document(path: Path) -> dict[str, Any]:
    """The written YAML of the one source."""
    written = yaml.safe_load(as_yaml(infer_source(path)))
    (source,) = written["sources"].values()
    return dict(source)


def loaded(path: Path, folder: Path) -> Source:
    """The source as the settings have it."""
    config = folder / "made.yml"
    config.write_text(as_yaml(infer_source(path)), encoding="utf-8")
    (source,) = load_settings(config).sources.values()
    return source
