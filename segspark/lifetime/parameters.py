"""Parameters of a model as an array of logarithms and back: all of them are positive."""

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from segspark.errors import LifetimeError
from segspark.lifetime.arrays import Floats

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ModelT = TypeVar("ModelT", bound="DataclassInstance")


def parameter_names(model: "DataclassInstance | type[DataclassInstance]") -> tuple[str, ...]:
    """Names of the parameters, in the order of the literature."""
    return tuple(field.name for field in fields(model))


def log_parameters(model: "DataclassInstance") -> Floats:
    """Natural logarithms of the parameters, shape (k,)."""
    return np.log([getattr(model, name) for name in parameter_names(model)])


def from_log_parameters(kind: type[ModelT], values: Floats) -> ModelT:
    """Make a model of logarithms of its parameters, shape (k,)."""
    return kind(*np.exp(values).tolist())


def refuse_parameters(model: "DataclassInstance") -> None:
    """Refuse a model that cannot be.

    Raises:
        LifetimeError: A parameter is not a positive, finite number.
    """
    for name in parameter_names(model):
        value = getattr(model, name)
        if not (np.isfinite(value) and value > 0.0):
            raise LifetimeError(
                f"parameter {name} of {type(model).__name__} must be positive and finite, "
                f"not {value}"
            )
