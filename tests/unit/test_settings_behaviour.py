import pytest
from pydantic import ValidationError

from segspark.settings.behaviour import SeasonSettings


@pytest.mark.parametrize(
    ("ranges", "sentence"),
    [
        ("12-01..12-32", "'12-32' of a range of days is no day of the calendar"),
        ("01-12", "'01-12' is no range of days: write 12-01..12-24"),
        ("2026-04-03..04-06", "'2026-04-03..04-06' is no range of days"),
        ("2026-04-06..2026-04-03", "ends before it begins: exchange its two days"),
        ("12-01..12-24,", "'' is no range of days"),
    ],
)
def test_a_holiday_that_cannot_be_read_is_refused_in_a_sentence(ranges: str, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SeasonSettings(holidays={"christmas": ranges})


def test_a_yearly_range_may_go_on_over_new_year_and_begin_on_a_leap_day() -> None:
    SeasonSettings(holidays={"winter": "12-20..01-06", "leap": "02-29..02-29"})


def test_the_name_of_a_holiday_becomes_a_key_that_needs_no_quotes() -> None:
    with pytest.raises(ValidationError, match="holidays"):
        SeasonSettings(holidays={"Black Friday": "11-20..11-30"})
