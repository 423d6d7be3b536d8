"""The commands: open the session, run the stages, say what came of it.

Each command imports what it runs: SciPy and scikit-learn take seconds, which not all need.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from segspark.errors import StageError, StorageError
from segspark.pipeline.aligned import frame_text
from segspark.pipeline.progress import Progress
from segspark.pipeline.stage import StageResult, Workspace
from segspark.session.doctor import Finding, diagnose
from segspark.session.opening import spark_session
from segspark.settings.dates import dates_between
from segspark.settings.root import Settings
from segspark.tables.catalogue import ALL_TABLES
from segspark.tables.engine_errors import engine_sentences
from segspark.tables.lake import Lake
from segspark.tables.views import register_views

DEMO_DAY = date(2017, 12, 31)
"""Last day of Complete Journey."""


@contextmanager
def workspace(settings: Settings, *, name: str) -> Iterator[Workspace]:
    """The surroundings of one command; a session started here is stopped at the end."""
    progress = Progress()
    progress.step("starting Spark")
    with spark_session(settings.spark, app_name=f"segspark-{name}") as spark:
        yield Workspace(settings, Lake.open(spark, settings.lake), progress)


def run_command(settings: Settings, args: argparse.Namespace) -> bool:
    """Run the command that `args` names; whether it found everything in order."""
    if args.command == "doctor":
        return _doctor(settings)
    with (
        workspace(settings, name=args.command) as here,
        engine_sentences(args.command, error=StageError),
    ):
        _COMMANDS[args.command](here, args)
    return True


def _ingest(here: Workspace, _: argparse.Namespace) -> None:
    from segspark.pipeline.ingest import ingest

    ingest(here)


def _build_features(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.features import backfill_features

    backfill_features(here, as_of_dates=_dates(args))


def _dates(args: argparse.Namespace) -> list[date]:
    """Every date that the command names."""
    if args.as_of:
        return list(args.as_of)
    dates = dates_between(args.first, args.until, every=args.every)
    if not dates:
        raise StageError(f"--until {args.until} is before --from {args.first}: give a later one")
    return dates


def _value(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.lifetime import value_customers
    from segspark.pipeline.showing import show_lifetime

    show_lifetime(here, [value_customers(here, as_of=args.as_of)])


def _train(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.train import train

    train(here, as_of=args.as_of)


def _assign(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.assign import assign

    assign(here, as_of=args.as_of, model=args.model)


def _publish(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.publish import publish

    publish(here, as_of=args.as_of, run_id=args.run, again=args.again)


def _rollback(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.publish import rollback

    rollback(here, run_id=args.run)


def _run_all(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.run import run_pipeline

    _say_times(here, run_pipeline(here, as_of=args.as_of, model=args.model))


def _demo(here: Workspace, args: argparse.Namespace) -> None:
    """Run everything on Complete Journey, then show the segments and what to try next."""
    from segspark.pipeline.run import run_pipeline
    from segspark.pipeline.showing import show_segments

    results = run_pipeline(here, as_of=DEMO_DAY)
    _say_times(here, results)
    show_segments(here, results, config=args.config)


def _replay(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.replay import export_refusals, replay

    if args.export:
        export_refusals(here, args.export)
    else:
        replay(here, args.file)


def _quality(here: Workspace, args: argparse.Namespace) -> None:
    from segspark.pipeline.quality import write_quality_page

    write_quality_page(here, output=args.output)


def _sql(here: Workspace, args: argparse.Namespace) -> None:
    register_views(here.lake)
    print(frame_text(here.lake.spark.sql(args.query)))


_COMMANDS: dict[str, Callable[[Workspace, argparse.Namespace], None]] = {
    "ingest": _ingest,
    "build-features": _build_features,
    "value": _value,
    "train": _train,
    "assign": _assign,
    "publish": _publish,
    "run-pipeline": _run_all,
    "rollback": _rollback,
    "replay": _replay,
    "quality": _quality,
    "sql": _sql,
    "demo": _demo,
}


def _doctor(settings: Settings) -> bool:
    """Print every finding; the lake's tables are looked at once the rest is in order."""
    findings = diagnose(settings)
    if all(finding.ok for finding in findings):
        with workspace(settings, name="doctor") as here:
            findings += _contract_findings(here.lake)
    for finding in findings:
        print(f"{'ok ' if finding.ok else 'BAD'}  {finding.name}: {finding.sentence}")
    return all(finding.ok for finding in findings)


def _contract_findings(lake: Lake) -> list[Finding]:
    found = []
    for contract in ALL_TABLES:
        try:
            with engine_sentences("cannot be read"):
                differences = lake.differences(contract)
        except StorageError as error:
            differences = [str(error)]
        text = "; ".join(differences) or "matches its contract"
        found.append(Finding(f"table {contract.name}", ok=not differences, sentence=text))
    return found


def _say_times(here: Workspace, results: list[StageResult]) -> None:
    seconds = sum(result.elapsed_seconds for result in results)
    if all(result.was_done for result in results):
        here.progress.say(f"inputs are unchanged: no table was changed, {seconds:.1f} s in all")
    else:
        here.progress.say(f"all stages in {seconds:.1f} s")
