"""What a session must have, and what is said where it has something else."""

import os

import pytest

from segspark.session.options import (
    SKIPPING_KEYS,
    complaint,
    cores_of,
    method_options,
    needed_options,
)


def test_needed_options_draw_no_complaint() -> None:
    assert complaint(needed_options()) is None


def test_settings_left_open_draw_no_complaint() -> None:
    assert complaint({}) is None


@pytest.mark.parametrize("limit", ["0", "0ms", "0 s"])
def test_tables_that_are_never_shown_as_they_were_draw_no_complaint(limit: str) -> None:
    assert complaint({"spark.databricks.delta.stalenessLimit": limit}) is None


@pytest.mark.parametrize("zone", ["Etc/UTC", "Z", "GMT"])
def test_other_names_of_utc_are_utc(zone: str) -> None:
    assert complaint({"spark.sql.session.timeZone": zone}) is None


def test_settings_that_let_spark_leave_out_rows_are_named_with_the_flag_that_mends_them() -> None:
    for key in SKIPPING_KEYS:
        sentence = complaint(needed_options() | {key: "true"}) or ""
        assert f"{key} is set, so rows could be lost" in sentence
        assert f"--conf {key}=false" in sentence
        assert complaint({key: "false"}) is None


@pytest.mark.parametrize(
    ("key", "value", "flag"),
    [
        ("spark.sql.ansi.enabled", "false", "--conf spark.sql.ansi.enabled=true"),
        ("spark.sql.session.timeZone", "Europe/Paris", "--conf spark.sql.session.timeZone=UTC"),
        (
            "spark.databricks.delta.stalenessLimit",
            "1h",
            "--conf spark.databricks.delta.stalenessLimit=0",
        ),
        (
            "spark.sql.extensions",
            "org.example.Other",
            "--conf spark.sql.extensions=org.example.Other,io.delta.sql",
        ),
    ],
)
def test_a_contrary_setting_is_named_with_the_flag_that_mends_it(
    key: str, value: str, flag: str
) -> None:
    sentence = complaint(needed_options() | {key: value}) or ""
    assert f"{key} is {value}" in sentence
    assert flag in sentence


@pytest.mark.parametrize(
    ("master", "cores"),
    [("local", 1), ("local[3]", 3), ("local[4,2]", 4), ("local-cluster[2,3,1024]", 6)],
)
def test_cores_are_read_from_the_master(master: str, cores: int) -> None:
    assert cores_of(master) == cores


def test_a_star_means_every_core() -> None:
    assert cores_of("local[*]") == os.cpu_count()


def test_no_method_is_made_that_java_would_only_interpret() -> None:
    assert method_options("-Duser.timezone=UTC") == {"spark.sql.codegen.hugeMethodLimit": "8000"}
    assert method_options("-Duser.timezone=UTC -XX:-DontCompileHugeMethods") == {}
