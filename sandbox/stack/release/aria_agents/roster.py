"""The agents, by the ids that the database knows them by."""

AGENTS = ("aria", "researcher", "coder", "archivist", "übersetzerin")
