"""What a benchmark runs on: databases, server processes, teams and tasks."""
