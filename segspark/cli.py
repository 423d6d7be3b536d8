"""The command line: `segspark <stage>`, which is also all that a job script calls."""

import argparse
import logging
import sys
import traceback
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import get_args

from segspark.errors import SegsparkError
from segspark.settings.base import without_credentials
from segspark.settings.dates import Step
from segspark.settings.loading import effective_yaml, load_settings
from segspark.settings.root import Settings

DONE, REFUSED = 0, 1
_EPILOG = "Exit codes: 0 done, 1 refused for the reason printed, 2 wrong usage."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code, prints one sentence for what is refused."""
    words = sys.argv[1:] if argv is None else argv
    parser = _parser(words)
    args = parser.parse_args(words)
    if "first" in args and (args.first is None) != (args.until is None):
        parser.error("--from and --until go together")
    _set_up_logging()
    try:
        if args.command == "infer-source":
            return _infer(args)
        settings = load_settings(args.config, args.set)
        if args.show_config:
            print(effective_yaml(settings), end="")
            return DONE
        return _run(args, settings)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - no raw trace for anybody
        if args.debug:
            traceback.print_exc()
        sys.stderr.write(f"segspark: {without_credentials(_sentence(error))}\n")
        return REFUSED


def _run(args: argparse.Namespace, settings: Settings) -> int:
    # Spark and pandas take seconds to import: --help and wrong usage must not wait for them.
    from segspark.pipeline.commands import run_command  # noqa: PLC0415 - it brings Spark, and --help is quick

    return DONE if run_command(settings, args) else REFUSED


def _infer(args: argparse.Namespace) -> int:
    from segspark.pipeline.inferring import InferenceRequest, run_inference  # noqa: PLC0415 - it brings Spark, and --help is quick

    request = InferenceRequest(
        file=args.file,
        output=args.output,
        may_overwrite=args.force,
        has_preview=not args.no_preview,
    )
    run_inference(request, say=print)
    return DONE


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="segspark",
        description="Customer segments in Delta tables, from purchases to publication.",
        epilog=_EPILOG,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    shared = _shared_options()
    only_shows = "--show-config" in argv
    dated = argparse.ArgumentParser(add_help=False)
    dated.add_argument(
        "--as-of",
        type=_day,
        required=not only_shows,
        metavar="YYYY-MM-DD",
        help="last day counted, inclusive",
    )

    def add(name: str, text: str, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, help=text, description=text, parents=[shared, *parents], epilog=_EPILOG
        )

    add("ingest", "Take in what the configured sources hold that the lake does not.")
    features = add("build-features", "Bring the ledger up to date and build customer features.")
    _add_dates(features, is_required=not only_shows)
    add("value", "Value every customer of a snapshot, and test the models behind it.", dated)
    add("train", "Try the configured candidates on the features and choose a model.", dated)
    for name, text in (
        ("assign", "Give every eligible customer of a snapshot a segment."),
        (
            "run-pipeline",
            "Ingest, build features, value, train, assign and publish, in this order.",
        ),
    ):
        add(name, text, dated).add_argument(
            "--model", metavar="MODEL", help=_model_help(name), default=_model_default(name)
        )
    publish = add("publish", "Audit a run and make it current.", dated)
    publish.add_argument("--run", metavar="RUN_ID", help="the run; default: the newest of that day")
    publish.add_argument("--again", action="store_true", help="even if it was rolled back before")
    rollback = add("rollback", "Make an earlier published run current again.")
    rollback.add_argument("--run", metavar="RUN_ID", help="default: the one before the current")
    quality = add("quality", "Write a page about what came in: alarms, books, refusals.")
    quality.add_argument(
        "--output",
        type=Path,
        metavar="HTML",
        help="what to write; default: reports/quality.html in a local lake, else quality.html",
    )
    replay = add("replay", "Write out refused rows to be repaired, or take repaired ones in.")
    either = replay.add_mutually_exclusive_group(required=not only_shows)
    either.add_argument("file", nargs="?", metavar="FILE", help="repaired rows to take in")
    either.add_argument("--export", type=Path, metavar="FILE", help="write all refused rows there")
    sql = add("sql", "Run one SQL query over the lake's tables and current_* views.")
    sql.add_argument("query", help="such as 'SELECT * FROM current_segment_profiles'")
    add("doctor", "Check Python, Java, Spark, Delta, the disk and the lake's tables.")
    _add_infer_source(commands)
    add("demo", "Run the pipeline on the purchases of 2,469 households and show the segments.")
    return parser


def _add_dates(features: argparse.ArgumentParser, *, is_required: bool) -> None:
    """One date, or many; a command that was stopped goes on where it was."""
    either = features.add_mutually_exclusive_group(required=is_required)
    either.add_argument(
        "--as-of",
        type=_day,
        action="append",
        metavar="YYYY-MM-DD",
        help="last day counted, inclusive; may be repeated",
    )
    either.add_argument(
        "--from",
        dest="first",
        type=_day,
        metavar="YYYY-MM-DD",
        help="in its place: the first of several dates",
    )
    features.add_argument(
        "--until", type=_day, metavar="YYYY-MM-DD", help="with --from: no date is later"
    )
    features.add_argument(
        "--every",
        choices=get_args(Step),
        default="month",
        help="with --from: how far apart they are; default: %(default)s, of ends of months if "
        "--from is one",
    )


def _add_infer_source(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The one command that makes a configuration instead of reading one."""
    text = "Look at a file and write a source configuration to edit, with a preview."
    infer = commands.add_parser("infer-source", help=text, description=text, epilog=_EPILOG)
    infer.add_argument("file", type=Path, metavar="FILE", help="the file to look at")
    infer.add_argument(
        "--output", type=Path, metavar="YAML", help="what to write; default: conf/<name>.yml"
    )
    infer.add_argument("--force", action="store_true", help="replace what is there")
    infer.add_argument(
        "--no-preview", action="store_true", help="do not start Spark to parse the first rows"
    )
    infer.add_argument("--debug", action="store_true", help="show the trace of an error")


def _shared_options() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--config",
        type=Path,
        default=Path("conf/demo.yml"),
        metavar="FILE",
        help="YAML configuration; default: %(default)s",
    )
    shared.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override one setting, such as training.sweep.most_segments=6; may be repeated",
    )
    shared.add_argument(
        "--show-config", action="store_true", help="print the effective configuration and stop"
    )
    shared.add_argument("--debug", action="store_true", help="show the trace of an error")
    return shared


def _model_help(command: str) -> str:
    which = "published, newest or a model id; default: "
    return which + ("published" if command == "assign" else "train a new one")


def _model_default(command: str) -> str | None:
    return "published" if command == "assign" else None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2026-11-01") from None


def _set_up_logging() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for noisy in ("py4j", "mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)


def _sentence(error: BaseException) -> str:
    if isinstance(error, SegsparkError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "interrupted: start it again, finished stages are kept"
    if isinstance(error, ModuleNotFoundError):
        return (
            f"the Python package {error.name} is not installed: on one machine, "
            "pip install 'segspark[spark]' brings all that is needed"
        )
    lines = str(error).strip().splitlines() or [""]
    return f"unforeseen, --debug shows where: {type(error).__name__} {lines[0]}"


if __name__ == "__main__":
    sys.exit(main())
