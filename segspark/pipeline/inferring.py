"""The command `infer-source`: look at a file, write its configuration, show what would come in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from segspark.errors import IngestError
from segspark.ingest.inferring.source import Inferred, infer_source, missing_sentence
from segspark.pipeline.inferring_yaml import as_yaml
from segspark.settings.loading import load_settings


@dataclass(frozen=True, slots=True)
class InferenceRequest:
    """What a person asks for.

    Attributes:
        file: The file to look at.
        output: Where the configuration goes; None: `conf/<name>.yml`.
        may_overwrite: Whether a file that is there may be replaced.
        has_preview: Whether Spark is started to parse the sample.
    """

    file: Path
    output: Path | None = None
    may_overwrite: bool = False
    has_preview: bool = True


def run_inference(request: InferenceRequest, *, say: Callable[[str], None]) -> None:
    """Write a configuration for a file, say what is doubtful, and parse the first rows by it.

    Args:
        request: What a person asks for.
        say: Takes the lines for that person.

    Raises:
        IngestError: The file cannot be read, the configuration is there already, or a required
            column was not found; in the last case it is written all the same, to be completed.
    """
    inferred = infer_source(request.file)
    output = request.output or Path("conf") / f"{inferred.name}.yml"
    text = as_yaml(inferred)
    _write(text, output, may_overwrite=request.may_overwrite)
    checks = text.count("# please check:")
    words = f"; {checks} line(s) to check" if checks else ""
    say(f"{output}: written from {inferred.sample.row_count:,} rows of {request.file}{words}")
    for note in inferred.notes:
        say(f"  {note}")
    settings = load_settings(output)
    if inferred.missing:
        raise IngestError(f"{request.file}: {missing_sentence(inferred)}: replace ??? in {output}")
    last_day = inferred.last_day
    if request.has_preview:
        # Spark and MLflow take seconds to import, which --no-preview does not need.
        from segspark.pipeline.previewing import show_preview  # noqa: PLC0415 - it brings Spark, and --help is quick

        last_day = show_preview(inferred, settings, say=say).last_day or last_day
    say(_next_step(inferred, output, last_day))


def _write(text: str, output: Path, *, may_overwrite: bool) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("w" if may_overwrite else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise IngestError(
            f"{output}: is there already: --force replaces it, --output names another"
        ) from error
    except OSError as error:
        raise IngestError(
            f"{output}: cannot be written ({error.strerror}): name another by --output"
        ) from error


def _next_step(inferred: Inferred, output: Path, last_day: date | None) -> str:
    """The command that a person would type next."""
    if inferred.entity != "transactions" or last_day is None:
        return f"\nNext: put sources.{inferred.name} of {output} beside your purchases"
    which = "" if inferred.sample.is_whole else "   (the last day of the rows looked at)"
    return f"\nNext: segspark run-pipeline --config {output} --as-of {last_day}{which}"
