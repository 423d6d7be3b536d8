"""Sources of purchases → transactions, with refusals and books that tie out."""
