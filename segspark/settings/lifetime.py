"""How far ahead customers are valued, and how the forecasts are tested."""

from pydantic import Field

from segspark.settings.base import StrictModel


class LifetimeSettings(StrictModel):
    """Lifetime value and churn."""

    horizon_days: int = Field(default=365, ge=1)
    """Days after the as-of date whose purchases count."""
    yearly_discount_ratio: float = Field(default=0.1, ge=0, le=1)
    """Discount of what comes in a year; what is bought in a month counts at its end."""
    margin_ratio: float = Field(default=1.0, gt=0, le=1)
    """Share of the spend that is value; 1: value is spend."""
    churn_days: int = Field(default=90, ge=1)
    """A customer who buys nothing for so many days after the as-of date has churned."""
    holdout_days: int = Field(default=180, ge=7)
    """Length of each of the two hold-out periods, the last ones before the as-of date; a third of
    the history where that is shorter."""
