"""Assignment, identity across runs, names, profiles, explanations and the audit."""
