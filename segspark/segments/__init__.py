"""Assignment, identity across runs, names, profiles and the audit before publication."""
