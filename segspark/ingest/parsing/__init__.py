"""Raw rows → typed rows, each with every reason to refuse it."""
