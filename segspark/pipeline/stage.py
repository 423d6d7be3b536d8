"""How every stage runs: known by its id, done when its manifest row is there."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from segspark.pipeline.progress import Progress
from segspark.settings.root import Settings
from segspark.tables.lake import Lake
from segspark.tables.manifest import Outcome, StageRun, complete_stage, find_stage, table_versions

NAME_WIDTH = 12
"""Of the longest name of a stage, so that what they say stands in columns."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The surroundings of one job.

    Attributes:
        settings: The whole configuration.
        lake: The tables.
        progress: Where to say what is going on.
    """

    settings: Settings
    lake: Lake
    progress: Progress


@dataclass(frozen=True, slots=True)
class StageResult:
    """What a call of a stage came to.

    Attributes:
        stage: Its name.
        stage_id: Content address of its result.
        was_done: Whether the result was already there, so that nothing was written.
        summary: One line for people.
        elapsed_seconds: Wall clock of this call.
    """

    stage: str
    stage_id: str
    was_done: bool
    summary: str
    elapsed_seconds: float

    def line(self) -> str:
        """The result as one line."""
        state = "unchanged" if self.was_done else "done"
        name = f"{self.stage:<{NAME_WIDTH}}"
        return f"{name}  {state:<9}  {self.elapsed_seconds:6.1f} s  {self.summary}"


def run_stage(
    workspace: Workspace,
    run: StageRun,
    work: Callable[[], Outcome],
    *,
    is_there: Callable[[], bool] = lambda: True,
) -> StageResult:
    """Do the work unless the manifest says it is done; write the manifest row last.

    A stage that was killed has no row, so it is done again, over the slice it began.

    Args:
        workspace: The surroundings.
        run: What the stage will write.
        work: Writes it.
        is_there: Asked where the manifest says done: whether the rows still are, for a stage whose
            older results give way to newer ones.
    """
    started = time.monotonic()
    done = find_stage(workspace.lake, run.stage, run.stage_id)
    if done is not None and not is_there():
        done = None
    if done is not None:
        summary = str(json.loads(done["audit_json"])["summary"])
    else:
        workspace.progress.step(f"{run.stage}: {run.stage_id}")
        versions = table_versions(workspace.lake, run.reads)
        outcome = work()
        summary = outcome.summary
        complete_stage(workspace.lake, run, outcome, input_versions=versions)
    result = StageResult(
        run.stage, run.stage_id, done is not None, summary, time.monotonic() - started
    )
    workspace.progress.say(result.line())
    return result
