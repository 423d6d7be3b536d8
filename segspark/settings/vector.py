"""How customers become points."""

from typing import Any, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from segspark.settings.base import StrictModel

Transformation = Literal["log1p", "none"]
"""The logarithm of 1 + value, or the value as it is."""


Recipe = Literal["rfm_log", "rfm_clv", "behaviour", "custom"]
"""Which features a vector takes."""
DEFAULT_RECIPE: Recipe = "rfm_log"


class VectorSettings(StrictModel):
    """How a customer becomes a point: features are transformed, winsorised, scaled.

    Whoever wants other features than the recipes take names `columns`, and nothing else is needed.
    """

    recipe: Recipe = DEFAULT_RECIPE
    """`rfm_log`: logarithms of recency, frequency and average order amount; `rfm_clv`: these and
    the logarithm of the lifetime value; `behaviour`: logarithms of orders in the two longest of
    `features.windows_days`, of spend in the longest, of basket and tenure, without what is the same
    for everybody; `custom`: `columns`, which
    make it the default."""
    columns: tuple[str, ...] = Field(default=(), strict=False)
    """Numbers of `customer_features`, or `lifetime_value_amount`, that the recipe `custom` takes.
    Customers whose total or average spend is among them and not above zero are left out where its
    logarithm is taken; other amounts below zero count as 0 there."""
    transformation: Transformation = "log1p"
    """What becomes of `columns`: the logarithm of 1 + value, or the value as it is."""
    transformation_by_column: dict[str, Transformation] = Field(default_factory=dict)
    """Columns of which something else becomes."""
    missing_values: dict[str, FiniteFloat] = Field(default_factory=dict)
    """What a missing value counts as in a column that may be NULL, in natural units; without it
    training refuses the column. A missing lifetime value counts as 0."""
    winsorise_tail_ratio: float = Field(default=0.005, ge=0, lt=0.5)
    """Share cut off at each end after the transformation; 0: none."""
    scaling: Literal["standard", "robust"] = "standard"
    """`standard`: mean and population deviation; `robust`: median and quartile distance / 1.349,
    or the deviation where the quartiles coincide."""

    @model_validator(mode="before")
    @classmethod
    def _components_have_moved(cls, data: Any) -> Any:  # noqa: ANN401 - whatever was written
        if isinstance(data, dict) and "pca" in data:
            raise ValueError(
                "pca has moved: name it beside none in training.sweep.embeddings, and put its keys "
                "into training.sweep.pca"
            )
        return data

    def with_recipe(self, recipe: Recipe) -> "VectorSettings":
        """The vector of another recipe, winsorised and scaled as this one."""
        if recipe == self.recipe:
            return self
        return VectorSettings(
            recipe=recipe,
            winsorise_tail_ratio=self.winsorise_tail_ratio,
            scaling=self.scaling,
        )

    @model_validator(mode="before")
    @classmethod
    def _columns_are_custom(cls, data: Any) -> Any:  # noqa: ANN401 - whatever was written
        if isinstance(data, dict) and data.get("columns") and "recipe" not in data:
            return {**data, "recipe": "custom"}
        return data

    @model_validator(mode="after")
    def _columns_fit_the_recipe(self) -> Self:
        if len(set(self.columns)) < len(self.columns):
            raise ValueError("name each of columns only once")
        if self.recipe == "custom" and not self.columns:
            raise ValueError("the recipe custom needs columns: name at least one")
        own = (self.columns, self.transformation_by_column, self.missing_values)
        if self.recipe != "custom" and (any(own) or self.transformation != "log1p"):
            raise ValueError(
                f"the recipe {self.recipe} has columns and transformations of its own: take the "
                "recipe custom, or leave out columns, transformation, transformation_by_column "
                "and missing_values"
            )
        for key in ("transformation_by_column", "missing_values"):
            strange = [name for name in getattr(self, key) if name not in self.columns]
            if strange:
                raise ValueError(f"{key} names {', '.join(strange)}, which columns does not")
        return self
