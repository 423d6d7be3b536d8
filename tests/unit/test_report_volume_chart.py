"""The chart of rows a day: dots to a scale, the usual as a band, alarms in another shape."""

import re

import pytest

from segspark.report.volume_chart import VolumePoint, volume_chart

POINTS = [
    VolumePoint("a Monday", 100, None, None, is_alarm=False),
    VolumePoint("b Monday", 50, 80, 120, is_alarm=True),
]


def test_the_chart_draws_rows_and_band_to_one_scale() -> None:
    drawn = volume_chart(
        [
            VolumePoint("a", 100, None, None, is_alarm=False),
            VolumePoint("b", 50, 50, 100, is_alarm=False),
        ],
        title="t",
    )

    heights = [float(y) for y in re.findall(r'cy="([\d.]+)"', drawn)]
    pattern = r'class="band".*? y="([\d.]+)" width="[\d.]+" height="([\d.]+)"'
    (band,) = re.findall(pattern, drawn)
    top, height = map(float, band)
    assert heights[0] < heights[1]
    assert top == pytest.approx(heights[0], abs=0.11)
    assert top + height == pytest.approx(heights[1], abs=0.11)
    assert volume_chart([], title="t") == ""


def test_a_huge_band_leaves_the_rows_readable_and_stays_inside() -> None:
    drawn = volume_chart([VolumePoint("a", 10, 0, 1e9, is_alarm=False)], title="t")

    (y,) = (
        float(found)
        for found in re.findall(r'class="band" fill="#cfe3f7" x="[\d.]+" y="([\d.]+)"', drawn)
    )
    (dot,) = (float(found) for found in re.findall(r'cy="([\d.]+)"', drawn))
    assert y >= 0
    assert 12 < dot < 120


def test_an_alarm_has_another_shape_than_a_sound_day() -> None:
    drawn = volume_chart(POINTS, title="t")

    assert drawn.count("<polygon") == 1
    assert drawn.count("<circle") == 1
    assert "b Monday: 50 rows a day, usual 80 to 120" in drawn
