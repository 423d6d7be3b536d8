"""An unknown file → a source configuration to edit."""
