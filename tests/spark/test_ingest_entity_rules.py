"""Rules of customers, products and events refuse, flag and count as those of purchases do."""

from dataclasses import dataclass
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark.ingest.parsing.rows import ENTITIES
from segspark.pipeline.holdings import current_batches
from segspark.pipeline.ingest import ingest
from segspark.pipeline.stage import Workspace
from tests.purchases import csv_file, values, workspace


@dataclass(frozen=True, slots=True)
class Ruled:
    """A source with rules, and what they must make of its lines.

    Attributes:
        source: What its settings say beside its place and rules; `line` is an attribute.
        lines: The CSV, its header first.
        rules: Name → the rule.
        flags: Line → names of the rules that flag it, of the lines that are kept.
        refused: Line → the rule that refuses it.
        counts: Rule → how many rows break it.
    """

    source: dict[str, Any]
    lines: tuple[str, ...]
    rules: dict[str, dict[str, Any]]
    flags: dict[str, list[str]]
    refused: dict[str, str]
    counts: dict[str, int]


RULED = {
    "customers": Ruled(
        {"columns": {"customer_id": "who", "valid_from": "since", "country": "land",
                     "birth_date": "born", "consents": {"email": "news"},
                     "attributes": ["line", "size"]}},
        ("line,who,since,land,born,news,size",
         "plain,7,2026-01-01,DE,1980-02-29,yes,2",
         "test,test9,2026-01-01,DE,1980-02-29,yes,2",
         "abroad,8,2026-01-01,FR,1980-02-29,no,2",
         "old,9,2026-01-01,,1880-02-29,no,",
         "large,10,2026-01-01,AT,,yes,40",
         "one,11,2026-01-01,AT,,no,2",
         "other,11,2026-01-01,AT,,no,3",
         "later,11,2026-02-01,AT,,no,3"),
        {"test_account": {"severity": "refuse", "column": "customer_id",
                          "forbidden_pattern": "(?i)^test"},
         "known_country": {"severity": "flag", "column": "country", "allowed": ["DE", "AT"]},
         "sane_birth": {"severity": "refuse", "fails_when": "birth_date < DATE'1900-01-01'"},
         "large_household": {"severity": "flag", "fails_when":
                             "try_cast(attributes['size'] AS int) > 20 AND consents['email']"},
         "one_row_a_day": {"severity": "flag", "unique": ["customer_id", "valid_from_date"]},
         "has_birth": {"severity": "count", "column": "birth_date", "required": True}},
        {"plain": [], "abroad": ["known_country"], "large": ["large_household"],
         "one": ["one_row_a_day"], "other": ["one_row_a_day"], "later": []},
        {"test": "test_account", "old": "sane_birth"},
        {"test_account": 1, "known_country": 1, "sane_birth": 1, "large_household": 1,
         "one_row_a_day": 2, "has_birth": 4},
    ),
    "products": Ruled(
        {"columns": {"product_id": "sku", "brand": "brand",
                     "category_levels": ["department", "category"],
                     "attributes": ["line", "weight"]}},
        ("line,sku,brand,department,category,weight",
         "plain,mug,Acme,Kitchen,Mugs,300",
         "test,TEST-1,Acme,Kitchen,Mugs,300",
         "foreign,cup,Apex,Kitchen,Cups,300",
         "heavy,pan,Acme,,Pans,90000",
         "one,pot,,Kitchen,Pots,1",
         "other,pot,Acme,Kitchen,Pots,1"),
        {"test_product": {"severity": "refuse", "column": "product_id",
                          "forbidden_pattern": "^TEST"},
         "own_brand": {"severity": "flag", "column": "brand", "allowed": ["Acme"]},
         "sane_weight": {"severity": "flag", "fails_when": "double(attributes['weight']) > 50000"},
         "has_department": {"severity": "flag", "fails_when": "category_levels[0] IS NULL"},
         "one_row": {"severity": "flag", "unique": ["product_id"]},
         "has_brand": {"severity": "count", "fails_when": "source_row.brand IS NULL"}},
        {"plain": [], "foreign": ["own_brand"], "heavy": ["sane_weight", "has_department"],
         "one": ["one_row"], "other": ["one_row"]},
        {"test": "test_product"},
        {"test_product": 1, "own_brand": 1, "sane_weight": 1, "has_department": 1, "one_row": 2,
         "has_brand": 1},
    ),
    "events": Ruled(
        {"columns": {"customer_id": "who", "event_at": "at", "event_type": "what",
                     "campaign_id": "mailing", "quantity": "pages", "attributes": ["line"]}},
        ("line,who,at,what,mailing,pages",
         "plain,7,2026-01-01,visit,,3",
         "test,qa,2026-01-01,visit,,3",
         "unknown,8,2026-01-01,dance,,3",
         "negative,9,2026-01-01,visit,,-1",
         "many,10,2026-01-01,visit,,1001",
         "spring,11,2026-01-01,open,spring,",
         "none,11,2026-01-01,open,,1",
         *(f"bot{hour},bot,2026-01-02 0{hour}:00:00,visit,,1" for hour in (1, 2, 3)),
         *(f"guest{hour},,2026-01-02 0{hour}:00:00,visit,,1" for hour in (1, 2, 3))),
        {"test_account": {"severity": "refuse", "column": "customer_id",
                          "forbidden_pattern": "^qa$"},
         "bot": {"severity": "refuse", "fails_when":
                 "customer_id IS NOT NULL AND "
                 "count(*) OVER (PARTITION BY batch_id, customer_id, event_date) > 2"},
         "known_type": {"severity": "flag", "column": "event_type", "allowed": ["visit", "open"]},
         "sane_pages": {"severity": "flag", "column": "quantity_units", "least": 0, "most": 1000},
         "has_campaign": {"severity": "flag", "fails_when":
                          "event_type = 'open' AND campaign_id IS NULL"},
         "one_open": {"severity": "flag", "unique": ["customer_id", "event_at", "event_type"]},
         "has_pages": {"severity": "count", "column": "quantity_units", "required": True}},
        {"plain": [], "unknown": ["known_type"], "negative": ["sane_pages"],
         "many": ["sane_pages"], "spring": ["one_open"], "none": ["has_campaign", "one_open"],
         "guest1": [], "guest2": [], "guest3": []},
        {"test": "test_account", "bot1": "bot", "bot2": "bot", "bot3": "bot"},
        {"test_account": 1, "bot": 3, "known_type": 1, "sane_pages": 2, "has_campaign": 1,
         "one_open": 2, "has_pages": 1},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def ruled(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """All three sources, taken in."""
    folder = tmp_path_factory.mktemp("ruled")
    sources = {}
    for entity, each in RULED.items():
        header, *lines = each.lines
        sources[entity] = {
            **each.source,
            "entity": entity,
            "location": str(csv_file(folder / f"{entity}.csv", *lines, header=header)),
            "format": {"kind": "csv"},
            "rules": [{"name": name, **rule} for name, rule in each.rules.items()],
            "most_rejected_ratio": 0.5,
        }
    work = workspace(spark, folder / "lake", sources)
    ingest(work)
    return work


@pytest.mark.parametrize("entity", RULED)
def test_rules_of_other_entities_refuse_flag_and_count_by_name(
    ruled: Workspace, entity: str
) -> None:
    expected, table = RULED[entity], ENTITIES[entity]
    kept = values(ruled.lake.read(table.kept), "attributes", "flags")
    assert {attributes["line"]: flags for attributes, flags in kept} == expected.flags
    line = F.get_json_object("raw_row", "$.line").alias("line")
    refused = ruled.lake.read(table.rejected).select(line, "reasons")
    assert values(refused, "line", "reasons") == sorted(
        (line, [f"rule: {rule}"]) for line, rule in expected.refused.items()
    )
    (batch,) = [row for row in current_batches(ruled) if row["entity"] == entity]
    assert batch["rule_row_counts"] == expected.counts
