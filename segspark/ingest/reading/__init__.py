"""Files and tables → raw rows."""
