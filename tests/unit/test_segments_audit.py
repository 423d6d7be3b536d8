from dataclasses import replace

import pytest

from segspark.segments.audit import RunFigures, audit_run
from segspark.settings.segments import AuditSettings

SOUND = RunFigures(
    customers=100,
    funnel={"assigned": 90, "no purchase": 10},
    assigned=90,
    distinct_assigned=90,
    without_profile=0,
    profiled=90,
    profile_ratio=1.0,
    borderline=8,
    outliers=3,
)
BOUNDS = AuditSettings(most_excluded_ratio=0.15, most_borderline_ratio=0.1, most_outlier_ratio=0.05)


def test_a_sound_run_has_no_problems() -> None:
    assert audit_run(SOUND, BOUNDS) == {}


@pytest.mark.parametrize(
    ("check", "figures"),
    [
        ("funnel", replace(SOUND, customers=101)),
        ("funnel", replace(SOUND, funnel={"assigned": 90, "no purchase": 9})),
        ("one_row_a_customer", replace(SOUND, distinct_assigned=89)),
        ("one_row_a_customer", replace(SOUND, assigned=89, distinct_assigned=89, profiled=89)),
        ("profiles", replace(SOUND, without_profile=1)),
        ("profiles", replace(SOUND, profiled=89)),
        ("profiles", replace(SOUND, profile_ratio=0.999)),
        ("borderline", replace(SOUND, borderline=10)),
        ("outlier", replace(SOUND, outliers=5)),
    ],
)
def test_each_check_fails_alone_when_its_figure_is_wrong(check: str, figures: RunFigures) -> None:
    assert list(audit_run(figures, BOUNDS)) == [check]


def test_too_many_excluded_customers_fail_the_audit() -> None:
    stricter = replace_bound(most_excluded_ratio=0.09)

    assert audit_run(SOUND, stricter) == {
        "excluded": "10.0% of the customers are excluded, above audit.most_excluded_ratio 9.0%"
    }


def test_a_run_without_anyone_fails() -> None:
    nobody = replace(
        SOUND,
        funnel={"no purchase": 100},
        assigned=0,
        distinct_assigned=0,
        profiled=0,
        profile_ratio=0.0,
        borderline=0,
        outliers=0,
    )

    assert {"someone_assigned", "excluded"} <= set(audit_run(nobody, BOUNDS))


def test_an_empty_snapshot_fails_and_does_not_divide_by_zero() -> None:
    nothing = RunFigures(0, {}, 0, 0, 0, 0, 0.0, 0, 0)

    assert "someone_assigned" in audit_run(nothing, BOUNDS)


def test_all_problems_are_listed_at_once() -> None:
    broken = replace(SOUND, customers=101, without_profile=1, outliers=90)

    assert set(audit_run(broken, BOUNDS)) >= {"funnel", "profiles", "outlier"}


def test_a_share_at_its_bound_passes() -> None:
    """1 - 0.7 is a little above 0.3, so the excluded must be counted, not subtracted."""
    a_third_out = replace(SOUND, funnel={"assigned": 70, "no purchase": 30}, assigned=70)
    figures = replace(a_third_out, distinct_assigned=70, profiled=70, borderline=7, outliers=7)
    bounds = AuditSettings(
        most_excluded_ratio=0.3, most_borderline_ratio=0.1, most_outlier_ratio=0.1
    )

    assert audit_run(figures, bounds) == {}


def replace_bound(**bounds: float) -> AuditSettings:
    return BOUNDS.model_copy(update=bounds)
