from scripts.benchmarks.sweep_figures import Side, quality_table, speed_ratios, time_table


def _side(*rounds: tuple[float, float, float], peak_mb: float = 0.0) -> Side:
    side = Side()
    for prepare, fit, evaluate in rounds:
        seconds = {"prepare": prepare, "fit": fit, "evaluate": evaluate}
        side.add({"seconds": seconds, "candidates": {}}, peak_mb)
    return side


def test_a_side_tells_medians_of_its_parts_and_of_whole_rounds() -> None:
    side = _side((1, 10, 3), (2, 12, 1), (3, 13, 9))
    assert side.medians() == {"prepare": 2, "fit": 12, "evaluate": 3, "total": 15}


def test_a_side_keeps_its_highest_memory_and_its_last_candidates() -> None:
    side = Side()
    seconds = {"prepare": 1.0, "fit": 1.0, "evaluate": 1.0}
    for peak_mb, silhouette in ((900.0, 0.1), (700.0, 0.2)):
        candidates = {"kmeans-2": {"silhouette": silhouette}}
        side.add({"seconds": seconds, "candidates": candidates}, peak_mb)
    assert side.peak_mb == 900
    assert side.candidates == {"kmeans-2": {"silhouette": 0.2}}


def test_ratios_say_how_many_times_longer_each_peer_takes() -> None:
    sides = {
        "segspark": _side((2, 6, 2)),
        "cached": _side((0, 180, 20)),
        "uncached": _side((0, 100, 50)),
        "sklearn": _side((1, 18, 1)),
    }
    assert speed_ratios(sides) == {
        "sweep_vs_naive_cached": 20,
        "sweep_vs_naive_uncached": 15,
        "sweep_vs_sklearn": 2,
        "evaluation_vs_spark": 10,
    }


def test_evaluation_is_held_against_the_quickest_of_sparks_sides() -> None:
    sides = {
        "segspark": _side((0, 1, 2)),
        "cached": _side((0, 1, 30)),
        "openblas": _side((0, 1, 24)),
        "sklearn": _side((0, 1, 1)),
    }
    assert speed_ratios(sides)["evaluation_vs_spark"] == 12


def test_without_peers_there_are_no_ratios() -> None:
    assert speed_ratios({"segspark": _side((1, 1, 1))}) == {}


def test_the_times_stand_in_columns_of_one_width() -> None:
    sides = {
        "segspark": _side((1, 2, 1), peak_mb=1234.4),
        "cached": _side((0, 100, 20), peak_mb=900),
    }
    assert time_table(sides) == [
        "side      prepare, s  fit, s  evaluate, s  total, s  x segspark     MB",
        "segspark        1.00    2.00         1.00      4.00        1.00  1,234",
        "cached          0.00  100.00        20.00    120.00       30.00    900",
    ]


def test_a_quality_that_is_not_known_is_a_dash_and_one_that_none_has_no_column() -> None:
    quality = {
        "kmeans-2": {"silhouette": 0.5, "within_cluster_sum_ratio_spark": 0.99},
        "gaussian_mixture-2": {"silhouette": 0.25, "log_likelihood_difference_spark": 0.125},
    }
    assert quality_table(quality, ["spark"]) == [
        "candidate           silhouette  log-l. - spark  wssse / spark",
        "kmeans-2                0.5000               -         0.9900",
        "gaussian_mixture-2      0.2500          0.1250              -",
    ]
