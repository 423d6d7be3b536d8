"""The sentences that defend a choice, and say what other rules would have chosen."""

from collections.abc import Mapping, Sequence

from segspark.clustering.gap_statistic import GapStatistic, gap_choice
from segspark.clustering.out_of_time import OutOfTime
from segspark.clustering.results import (
    CandidateResult,
    gain_of,
    gains_on_chance,
    is_separated,
    is_stable,
    merit_of,
)
from segspark.lifetime.usefulness import Usefulness
from segspark.settings.training import SelectionSettings

_FEWEST_GAPS = 2
"""Each is compared with the next."""


def verdict_on(
    chosen: CandidateResult,
    *,
    able: Sequence[CandidateResult],
    plain: CandidateResult,
    rows: Sequence[CandidateResult],
    settings: SelectionSettings,
) -> str:
    """Say what was chosen and why, what almost was, and what other rules say.

    Args:
        chosen: The one.
        able: What could be chosen if it came back in resamples, the best first.
        plain: The one of highest silhouette.
        rows: Every candidate, in the order they were tried.
        settings: The criterion and the margins.
    """
    place = next(at for at, row in enumerate(able) if row.candidate == chosen.candidate)
    later = [row for row in able[place + 1 :] if is_stable(row, settings)]
    is_last_resort = not is_stable(chosen, settings)
    named = "a usefulness of " if settings.criterion == "usefulness" else ""
    sentences = [
        _unstable(settings) if is_last_resort else "",
        _nature(chosen, settings),
        f"Chosen: {chosen.candidate_id}, whose silhouette of {chosen.silhouette:.3f} is "
        f"{gain_of(chosen):.3f} above that of data without clusters.",
        _stability(chosen),
        "" if is_last_resort else _passed_over(able, chosen, settings),
        f"Next came {later[0].candidate_id} with {named}{merit_of(later[0], settings):.3f}."
        if later
        else "",
        _embeddings(rows, able, settings),
        _plain(plain, chosen),
        _elbows(rows),
        _bic(rows),
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _nature(chosen: CandidateResult, settings: SelectionSettings) -> str:
    """Whether the segments are clusters, where their gain alone does not say so."""
    gain, asked = gain_of(chosen), settings.natural_cluster_margin
    if gain >= asked:
        return ""
    if not gains_on_chance(chosen, settings) and not is_separated(chosen):
        return (
            f"No natural clusters: this is a discretisation of a continuum (the gain is "
            f"{gain:.3f}, and {asked:.3f} is asked)."
        )
    if not is_stable(chosen, settings):
        return ""
    if gains_on_chance(chosen, settings):
        return (
            f"Natural clusters along single columns: some have several modes, and the gain over "
            f"data whose columns have one each is {chosen.single_mode_gain:.3f}."
        )
    return (
        f"Natural clusters that are not round: customers are few between any two segments, though "
        f"their silhouette tells of none (the gain is {gain:.3f})."
    )


def _unstable(settings: SelectionSettings) -> str:
    return (
        f"No stable segments: no candidate's come back in resamples with the mean Jaccard of "
        f"{settings.least_stability:.2f} asked, so the most stable one is taken, and the next "
        f"training may draw its borders elsewhere."
    )


def verdict_on_past(chosen: CandidateResult, past: OutOfTime, settings: SelectionSettings) -> str:
    """Say what the chosen candidate would have told of a past period, and what baselines told.

    Args:
        chosen: The one; nothing is said where it could not be fitted on the past day.
        past: What divisions of that day told.
        settings: Whether that decided.
    """
    if chosen.usefulness is None:
        return ""
    divisions = {chosen.candidate_id: chosen.usefulness, **past.baselines}
    told = "; ".join(f"{title} {_told(found)}" for title, found in divisions.items())
    decided = settings.criterion == "usefulness" and is_stable(chosen, settings)
    lead = "Chosen by that: of" if decided else "Of"
    return (
        f"{lead} the variance of the ranks of spend in {past.period}, groups made on that day tell "
        f"({past.customer_count:,} customers): {told}.{_in_time(chosen)}"
    )


def verdict_on_gaps(curve: Mapping[int, GapStatistic]) -> str:
    """Say what the gap statistic would have chosen.

    Args:
        curve: Gap of KMeans by number of segments, from 1 up; nothing is said of a single one.
    """
    if len(curve) < _FEWEST_GAPS:
        return ""
    clusters, lead = gap_choice(curve), "Of KMeans the gap to uniform data"
    if clusters is None:
        return f"{lead} still grows with {max(curve)} segments."
    if clusters == 1:
        return f"{lead} would have chosen one segment: no clusters."
    return f"{lead} would have chosen {clusters} segments."


def _in_time(chosen: CandidateResult) -> str:
    found = chosen.time_stability
    if found is None:
        return ""
    return f" Those of the same kind agree with today's by a mean Jaccard of {found.mean:.2f}."


def _told(found: Usefulness) -> str:
    spend = "nothing" if found.spend_ratio is None else f"{found.spend_ratio:.3f}"
    gini = "" if found.gini is None else f", Gini {found.gini:.3f}"
    kept = "" if found.retention_ratio is None else f", retention {found.retention_ratio:.3f}"
    return f"{spend} ({found.group_count} groups{gini}{kept})"


def _stability(chosen: CandidateResult) -> str:
    found = chosen.stability
    if found is None:
        return ""
    return (
        f"In {found.resample_count} resamples its segments come back with a mean Jaccard of "
        f"{found.mean:.2f}, the least stable one with {found.lowest:.2f}."
    )


def _passed_over(
    able: Sequence[CandidateResult], chosen: CandidateResult, settings: SelectionSettings
) -> str:
    least = merit_of(chosen, settings)
    better = [row for row in able if merit_of(row, settings) > least]
    unstable = [row for row in better if not is_stable(row, settings)]
    first = unstable[0] if unstable else None
    if first is None or first.stability is None:
        return ""
    more = f", and {len(unstable) - 1} more like it" if len(unstable) > 1 else ""
    return (
        f"{first.candidate_id} has a higher {settings.criterion} of "
        f"{merit_of(first, settings):.3f} but does not come back: "
        f"its mean Jaccard is {first.stability.mean:.2f}, below the "
        f"{settings.least_stability:.2f} asked{more}."
    )


def _embeddings(
    rows: Sequence[CandidateResult], able: Sequence[CandidateResult], settings: SelectionSettings
) -> str:
    """What the plain vector has to offer, and what embeddings have, where both are compared."""
    if len({row.candidate.is_embedded for row in rows}) == 1:
        return ""
    stable = [row for row in able if is_stable(row, settings)] or able
    plain, embedded = (
        _best([row for row in stable if row.candidate.is_embedded is wanted], settings)
        for wanted in (False, True)
    )
    return (
        f"By {settings.criterion} the best on the plain vector is {plain}, "
        f"and the best on an embedding is {embedded}."
    )


def _best(rows: Sequence[CandidateResult], settings: SelectionSettings) -> str:
    if not rows:
        return "none that can be chosen"
    best = max(rows, key=lambda row: merit_of(row, settings))
    return f"{best.candidate_id} with {merit_of(best, settings):.3f}"


def _plain(plain: CandidateResult, chosen: CandidateResult) -> str:
    if plain.candidate == chosen.candidate:
        return "Of all that were fitted to all customers it has the highest silhouette, too."
    return (
        f"The highest silhouette alone would have chosen {plain.candidate_id} "
        f"({plain.silhouette:.3f})."
    )


def _elbows(rows: Sequence[CandidateResult]) -> str:
    """Where those on the plain vector are: with those of embeddings nobody would read them."""
    names = [row.candidate_id for row in rows if row.is_elbow and not row.candidate.is_embedded]
    if not names:
        return ""
    return f"The within sum has its elbow at {_together(names)}."


def _bic(rows: Sequence[CandidateResult]) -> str:
    """Which mixture BIC takes; it cannot tell them from other algorithms."""
    criteria = {
        row.candidate: row.evidence.bic
        for row in rows
        if row.evidence is not None and row.evidence.bic is not None
    }
    if not criteria:
        return ""
    best = min(criteria, key=lambda candidate: criteria[candidate])
    most = max(
        row.candidate.segment_count
        for row in rows
        if row.candidate.algorithm is best.algorithm and not row.candidate.is_embedded
    )
    asks_for_more = " and might take more segments still" if best.segment_count == most else ""
    return f"Of the mixtures BIC takes {best.candidate_id}{asks_for_more}."


def _together(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
