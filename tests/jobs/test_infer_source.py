"""From an unknown file to a lake: infer-source, then ingest with what it wrote."""

import shlex
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from segspark import cli
from segspark.ingest.inferring.source import infer_source
from segspark.ingest.inferring.stamps import find_stamps
from segspark.ingest.parsing.rows import ENTITIES
from segspark.pipeline.inferring_yaml import as_yaml
from segspark.pipeline.previewing import count_preview, parse_sample
from segspark.settings.lake import LakeSettings
from segspark.settings.loading import load_settings
from segspark.tables.lake import Lake
from segspark.tables.operations import PUBLICATIONS
from segspark.tables.purchases import TRANSACTIONS
from segspark.tables.segments import SEGMENT_PROFILES
from tests.builders import table

HEADER = "Kundennr;Belegnr;Belegdatum;Artikelnr;Bezeichnung;Menge;Einzelpreis;Gesamtpreis;Land"
GOOD = (
    "1001;B1;31.01.2022 09:05;A-1;Blaue Tasse;2;4,95 €;9,90 €;DE",
    "1001;B1;31.01.2022 09:05;A-2;Röhre, groß;1;1.250,00 €;1.250,00 €;DE",
    "1002;B2;01.02.2022 18:30;A-1;Blaue Tasse;3;4,95 €;14,85 €;AT",
    "1002;B2;01.02.2022 18:30;A-1;Blaue Tasse;3;4,95 €;14,85 €;AT",
    "0;B3;02.02.2022 10:00;A-3;Kanne;1;20,00 €;20,00 €;DE",
    "1001;S4;03.02.2022 11:00;A-1;Blaue Tasse;-2;4,95 €;-9,90 €;DE",
)
KEPT_MONEY = Decimal("1299.70")


def german_file(folder: Path, *more: str) -> Path:
    path = folder / "Umsätze 2022.csv"
    path.write_bytes("\r\n".join([HEADER, *GOOD, *more, ""]).encode("windows-1252"))
    return path


def test_an_unknown_file_is_in_the_lake_after_two_commands(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = german_file(tmp_path)

    assert cli.main(["infer-source", str(path)]) == 0

    shown = capsys.readouterr().out
    assert "6 rows: 6 would be kept (1 of them copies, 1 of guests), 0 refused" in shown
    assert "days: 2022-01-31 to 2022-02-03" in shown
    assert "money: 1,299.70 EUR" in shown
    assert "kinds of line: sale 5, cancellation 1" in shown
    config = "conf/umsatze_2022.yml"
    assert f"Next: segspark run-pipeline --config {config} --as-of 2022-02-03" in shown

    assert cli.main(["ingest", "--config", config]) == 0

    kept = Lake.open(spark, load_settings(Path(config)).lake).read(TRANSACTIONS)
    copies = F.col("copies_count")
    row = kept.agg(
        F.sum(copies).alias("rows"),
        F.sum(F.col("line_amount") * copies.cast("decimal(10,0)")).alias("amount"),
        F.count_distinct("customer_id").alias("customers"),
        F.max("transaction_date").alias("last_day"),
    ).collect()[0]
    assert row.asDict() == {
        "rows": len(GOOD), "amount": KEPT_MONEY, "customers": 2, "last_day": date(2022, 2, 3),
    }  # fmt: skip
    names = {r["description"] for r in kept.select("description").collect()}
    assert names == {"Blaue Tasse", "Röhre, groß", "Kanne"}


def shop_export(path: Path, customers: int) -> Path:
    """Purchases of a year as a shop exports them: few buy often and much, many now and then."""
    random, lines = (
        np.random.default_rng(7),
        ["Order ID,Customer ID,Order Date,Product,Quantity,Price"],
    )
    for customer in range(customers):
        is_regular = customer % 4 == 0
        for order in range(random.poisson(20) + 5 if is_regular else random.poisson(1) + 1):
            day = date(2025, 1, 1) + timedelta(days=int(random.integers(0, 365)))
            price = random.uniform(20, 60) if is_regular else random.uniform(2, 9)
            lines.append(
                f"{customer}-{order},C{customer:04d},{day},mug,{order % 3 + 1},{price:.2f}"
            )
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def test_an_unknown_file_has_its_first_segments_after_the_two_commands_that_are_told(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["infer-source", str(shop_export(tmp_path / "export.csv", 240))]) == 0
    told = capsys.readouterr().out.partition("Next: segspark ")[2].splitlines()[0]

    assert cli.main(shlex.split(told)) == 0

    lake = Lake.open(spark, load_settings(Path("conf/export.yml")).lake)
    assert lake.read(PUBLICATIONS).count() == 1
    sizes = {
        row["segment_name"]: row["customer_count"] for row in lake.read(SEGMENT_PROFILES).collect()
    }
    assert len(sizes) > 1
    assert sum(sizes.values()) == 240


def test_the_preview_shows_each_refusal_with_a_value(spark: SparkSession, tmp_path: Path) -> None:
    bad = (
        "1003;B5;sofort;A-1;Tasse;1;4,95 €;4,95 €;DE",
        "1003;B6;04.02.2022 12:00;A-1;Tasse;viele;4,95 €;4,95 €;DE",
    )
    good = [f"10{n};B{n};05.02.2022 12:00;A-1;Tasse;1;4,95 €;4,95 €;DE" for n in range(10, 40)]
    inferred = infer_source(german_file(tmp_path, *bad, *good))
    config = tmp_path / "made.yml"
    config.write_text(as_yaml(inferred), encoding="utf-8")
    source = load_settings(config).sources[inferred.name]
    folder = tmp_path / "sample"
    folder.mkdir()

    parsed = parse_sample(spark, inferred, source, folder, currency="EUR")
    preview = count_preview(parsed, source, ENTITIES["transactions"])

    assert preview.row_count == len(GOOD) + len(bad) + len(good)
    assert preview.kept_count == preview.row_count - len(bad)
    assert preview.refusals == {
        "quantity: not a number": (1, "viele"),
        "transaction_at: not a date or time": (1, "sofort"),
    }


def test_spark_reads_every_pattern_as_it_was_meant(spark: SparkSession) -> None:
    written = {
        "2020-01-31 09:05:07": ["31.01.2020 09:05:07", "31/01/2020 9:05:07", "20200131090507",
                                "1/31/2020 9:05:07 AM", "31-Jan-20 09:05:07",
                                "2020/01/31 09:05:07 UTC", "2020/01/31 10:05:07 +01:00",
                                "31.01.2020 10:05:07 +0100", "31.01.2020T09:05:07Z"],
        "2020-01-31 00:00:00": ["31.1.2020", "31.01.2020", "1/31/2020", "20200131"],
        "2020-01-31 09:05:00": ["31.01.2020 09:05", "1/31/2020 9:05"],
    }  # fmt: skip
    found = []
    for expected, texts in written.items():
        for text in texts:
            stamps = find_stamps([text])
            assert stamps is not None, text
            assert stamps.pattern is not None, text
            df = table(spark, "text string", (text,))
            stamp = F.try_to_timestamp(F.col("text"), F.lit(stamps.pattern)).cast("string")
            found.append(df.select(F.lit(expected), stamp, "text").collect()[0])
    assert [(row[0], row[2]) for row in found] == [(row[1], row[2]) for row in found]


def test_optional_parts_of_a_pattern_are_optional_for_spark_too(spark: SparkSession) -> None:
    texts = ["31.01.2020 09:05:07", "01.02.2020 23:59", "02.02.2020"]
    stamps = find_stamps(texts)
    assert stamps is not None
    df = table(spark, "text string", *((text,) for text in texts))
    stamp = F.try_to_timestamp(F.col("text"), F.lit(stamps.pattern)).cast("string")
    assert [row[0] for row in df.select(stamp).collect()] == [
        "2020-01-31 09:05:07", "2020-02-01 23:59:00", "2020-02-02 00:00:00",
    ]  # fmt: skip


def test_the_lakes_default_currency_is_what_is_guessed_last(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("customer_id,date,amount\n7,2022-01-31,9.90\n", encoding="utf-8")
    assert infer_source(path).currency.value == LakeSettings().currency
