"""Combines several people's answers into one and says how sure it is. Pure mathematics: no tasks and no database."""
