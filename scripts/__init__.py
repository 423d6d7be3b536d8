"""What a person runs once: set-up, distribution, generated pages."""
