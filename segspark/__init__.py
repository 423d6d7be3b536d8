"""Customer segmentation on Spark and Delta."""

__version__ = "0.1.0"
