"""A submitted job keeps what its cluster gives; what is open is filled, what is wrong refused."""

import os
import subprocess
import sys
from pathlib import Path

from scripts.make_dist import write_zip
from segspark.session.ivy import spark_home
from segspark.session.jars import check_jars

ROOT = Path(__file__).resolve().parents[2]
JOB = """
import sys
import segspark
from segspark.errors import SetupError
from segspark.session.opening import spark_session
from segspark.settings.lake import SparkSettings

try:
    with spark_session(SparkSettings(shuffle_partitions=3), app_name="submitted") as spark:
        spark.range(3).write.format("delta").save(sys.argv[1])
        for key in (
            "spark.databricks.delta.snapshotPartitions",
            "spark.sql.shuffle.partitions",
            "spark.sql.parquet.outputTimestampType",
            "spark.sql.codegen.hugeMethodLimit",
        ):
            print(key, spark.conf.get(key))
        print("from", segspark.__file__)
except SetupError as error:
    print(error)
    sys.exit(1)
"""


def _submit(tmp_path: Path, *conf: str, jars: bool = True) -> subprocess.CompletedProcess[str]:
    """Submit `JOB` with the zip from a folder that does not hold the source."""
    job, package = tmp_path / "job.py", tmp_path / "segspark.zip"
    job.write_text(JOB)
    write_zip(ROOT / "segspark", package)
    command = [f"{spark_home()}/bin/spark-submit", "--master", "local[1]"]
    command += ["--conf", "spark.ui.enabled=false", "--py-files", str(package)]
    if jars:
        command += ["--jars", ",".join(str(jar) for jar in check_jars())]
    for setting in conf:
        command += ["--conf", setting]
    python = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return subprocess.run(
        [*command, str(job), str(tmp_path / "table")],
        cwd=tmp_path,
        env=environment | python | {"SPARK_LOCAL_IP": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_open_settings_are_filled_and_given_ones_kept(tmp_path: Path) -> None:
    answer = _submit(tmp_path, "spark.sql.shuffle.partitions=5")
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "spark.databricks.delta.snapshotPartitions 2\n" in answer.stdout
    assert "spark.sql.shuffle.partitions 5\n" in answer.stdout
    assert "spark.sql.parquet.outputTimestampType TIMESTAMP_MICROS\n" in answer.stdout
    assert "spark.sql.codegen.hugeMethodLimit 8000\n" in answer.stdout
    assert "segspark.zip/segspark" in answer.stdout


def test_methods_stay_large_where_java_compiles_them(tmp_path: Path) -> None:
    answer = _submit(tmp_path, "spark.driver.extraJavaOptions=-XX:-DontCompileHugeMethods")
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "spark.sql.codegen.hugeMethodLimit 65535\n" in answer.stdout


def test_a_contrary_setting_is_refused(tmp_path: Path) -> None:
    answer = _submit(tmp_path, "spark.sql.ansi.enabled=false")
    assert answer.returncode == 1
    assert "submit with --conf spark.sql.ansi.enabled=true" in answer.stdout
    assert "Traceback" not in answer.stderr


def test_a_job_without_delta_is_told_what_to_add(tmp_path: Path) -> None:
    answer = _submit(tmp_path, jars=False)
    assert answer.returncode == 1
    assert "submit with --packages io.delta:delta-spark_4.2_2.13:VERSION" in answer.stdout
