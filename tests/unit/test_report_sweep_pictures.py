import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from sklearn.decomposition import PCA

from segspark.report.sweep_pictures import (
    Floats,
    dendrogram_picture,
    line_picture,
    scatter_picture,
)

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(picture: str) -> list[str]:
    return [text.text or "" for text in ET.fromstring(picture).iter(f"{SVG}text")]  # noqa: S314


def circles_of(picture: str) -> Floats:
    """Centres of the dots that stand for figures or customers, radius below 5."""
    circles = ET.fromstring(picture).iter(f"{SVG}circle")  # noqa: S314
    places = [
        (float(c.attrib["cx"]), float(c.attrib["cy"])) for c in circles if float(c.attrib["r"]) < 5
    ]
    return np.array(places)


def test_a_line_falls_as_its_figures_do_and_its_elbow_is_ringed() -> None:
    found = line_picture(
        {"kmeans": {3: 9.0, 4: 5.0, 5: 4.0}, "a<b": {3: 8.0, 5: 1.0}},
        title="Within sum",
        unit="sum",
        marked=[("kmeans", 4)],
    )

    kmeans = circles_of(found)[:3]
    assert (np.diff(kmeans[:, 0]) > 0).all()
    heights = (kmeans[:, 1] - kmeans[0, 1]) / (kmeans[2, 1] - kmeans[0, 1])
    assert heights == pytest.approx([0.0, 0.8, 1.0], abs=0.01)
    (ring,) = re.findall(r'<circle cx="([^"]*)" cy="([^"]*)" r="8" fill="none"', found)
    assert [float(place) for place in ring] == kmeans[1].tolist()
    assert {"3", "4", "5", "kmeans", "a<b", "Within sum"} <= set(texts_of(found))


def test_of_more_lines_than_colours_no_two_look_alike() -> None:
    # As many as there are embeddings, algorithms and covariances to name.
    found = line_picture({f"family {n}": {3: n, 4: n + 1} for n in range(36)}, title="", unit="")

    looks = re.findall(r'<polyline fill="none" (stroke=.*?) points', found)
    keys = re.findall(r'<path d="M [^"]*" (stroke=.*?)/>', found)
    assert len(looks) == len(set(looks)) == 36
    assert keys == looks


@pytest.mark.parametrize("lines", [1, 36])
def test_the_key_of_every_line_is_within_the_picture(lines: int) -> None:
    names = [f"autoencoder-gaussian_mixture-spherical {n}" for n in range(lines)]
    found = ET.fromstring(  # noqa: S314
        line_picture({name: {3: 1, 4: 2} for name in names}, title="", unit="")
    )

    height = float(found.attrib["height"])
    assert found.attrib["viewBox"].split()[-1] == found.attrib["height"]
    places = {
        text.text: float(text.attrib["y"])
        for text in found.iter(f"{SVG}text")
        if text.text in names
    }
    assert len(places) == lines
    assert max(places.values()) < height - 5
    assert min(np.diff(sorted(places.values())), default=20.0) >= 15


def test_no_figure_and_a_single_one_make_a_picture() -> None:
    assert texts_of(line_picture({}, title="Nothing", unit="")) == ["Nothing"]
    assert len(circles_of(line_picture({"kmeans": {3: 2.0}}, title="One", unit=""))) == 1


def test_customers_are_drawn_by_their_principal_components() -> None:
    generator = np.random.default_rng(3)
    points = generator.normal(size=(60, 4)) * (5.0, 1.0, 2.0, 0.1)
    labels = generator.integers(3, size=60).tolist()

    found = scatter_picture(points, labels, title="Segments")

    places = circles_of(found)
    theirs = PCA(2).fit(points)
    for axis in range(2):
        against = np.corrcoef(places[:, axis], theirs.transform(points)[:, axis])[0, 1]
        assert abs(against) == pytest.approx(1.0, abs=1e-4)
    assert f"component 1, {theirs.explained_variance_ratio_[0]:.0%} of the variance" in texts_of(
        found
    )
    assert {"cluster 0", "cluster 1", "cluster 2"} <= set(texts_of(found))


def test_one_column_and_one_customer_can_be_drawn() -> None:
    single = scatter_picture(np.array([[1.0], [2.0], [4.0]]), [0, 0, 1], title="One column")
    alone = scatter_picture(np.ones((1, 3)), [0], title="One customer")

    assert len(set(circles_of(single)[:, 0])) == 3
    assert len(set(circles_of(single)[:, 1])) == 1
    assert len(circles_of(alone)) == 1


def test_a_tree_is_drawn_to_scale_with_its_leaves_and_where_it_is_cut() -> None:
    merges = linkage(np.array([[0.0], [1.0], [10.0], [14.0]]), "complete")  # heights 1, 4, 14

    found = dendrogram_picture(merges, np.array([100.0, 25, 4, 16]), title="Tree", segments=2)

    bars = [
        [tuple(map(float, place.split(","))) for place in line.attrib["points"].split()]
        for line in ET.fromstring(found).iter(f"{SVG}polyline")  # noqa: S314
    ]
    floor = max(top for bar in bars for _, top in bar)
    heights = sorted(floor - min(top for _, top in bar) for bar in bars)
    assert [height / heights[-1] for height in heights] == pytest.approx(
        [1 / 14, 4 / 14, 1], abs=1e-2
    )
    (cut,) = re.findall(r'y1="([^"]*)" y2="[^"]*" stroke="[^"]*" stroke-dasharray', found)
    assert (floor - float(cut)) / heights[-1] == pytest.approx(9 / 14, abs=1e-2)
    assert "2 segments" in texts_of(found)
    radii = [float(radius) for radius in re.findall(r'<circle [^>]* r="([^"]*)"', found)]
    assert sorted(radii) == pytest.approx([1.8, 3.6, 4.5, 9.0])


def test_of_a_large_tree_the_upper_part_is_drawn_and_nobody_is_lost() -> None:
    points = np.random.default_rng(5).normal(size=(300, 2))

    found = dendrogram_picture(linkage(points, "ward"), np.ones(300), title="Tree")

    radii = np.array([float(radius) for radius in re.findall(r'<circle [^>]* r="([^"]*)"', found)])
    assert len(radii) == 40
    shares = radii**2 / radii.max() ** 2
    largest = 300 / shares.sum()
    assert largest * shares == pytest.approx(np.round(largest * shares), abs=0.1)
    assert "segments" not in found
