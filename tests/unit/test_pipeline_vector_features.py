"""What is refused of configured vectors before anything is read."""

from typing import Any

import pytest

from segspark.errors import ConfigError
from segspark.pipeline.vector_features import check_configured_vectors
from segspark.settings.root import Settings


def settings(**training: Any) -> Settings:  # noqa: ANN401 - of the section
    sweep = {"embeddings": ["none", "pca"], "pca": {"component_count": 4}}
    return Settings.model_validate({"training": {"sweep": sweep, **training}})


def test_more_components_than_columns_are_refused_with_the_recipe_where_there_are_several() -> None:
    several = settings(search={"recipes": ["behaviour", "rfm_log"]})

    with pytest.raises(ConfigError, match=r"^of training.search.recipes rfm_log: training.sweep."):
        check_configured_vectors(several)
    with pytest.raises(ConfigError, match=r"^training.sweep.pca.component_count is 4"):
        check_configured_vectors(settings())
    check_configured_vectors(settings(search={"recipes": ["behaviour", "rfm_clv"]}))
