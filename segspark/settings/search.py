"""A search for what is worth fitting to all customers."""

from typing import Self

from pydantic import Field, model_validator

from segspark.settings.base import StrictModel
from segspark.settings.vector import Recipe


class SearchSettings(StrictModel):
    """Trials on a sample that Optuna proposes, the best of which are the candidates.

    Needs `pip install 'segspark[search]'`.
    """

    recipes: tuple[Recipe, ...] = Field(default=(), strict=False)
    """Recipes of the vector that are tried, each winsorised and scaled as `training.vector`
    says; none: its own alone. One that `training.vector` asks for is among them. That of the best
    trial becomes the vector."""
    trials: int = Field(default=60, ge=1)
    """Trials at most: one for each recipe and embedding, algorithm and covariance, number of
    segments or eps, as `training.sweep` names them; a grid with fewer is tried whole."""
    most_seconds: float | None = Field(default=None, gt=0)
    """Time after which no further trial begins; none: no bound. With one, a faster machine may come
    further and choose another model from the same customers."""
    kept_candidates: int = Field(default=10, ge=1)
    """Trials at most that go on: the best ones of the recipe are fitted to all customers and judged
    there. Where all are embedded, the last of several is the best one on the plain vector."""

    @model_validator(mode="after")
    def _each_is_named_once(self) -> Self:
        if len(set(self.recipes)) < len(self.recipes):
            raise ValueError("name each of recipes only once")
        return self
