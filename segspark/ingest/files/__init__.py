"""What is there: stores, files, archives, and what their bytes tell."""
