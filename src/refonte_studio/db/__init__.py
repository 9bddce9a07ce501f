"""Both database engines behind one interface: `Database`, and the `Tx` that a use-case receives."""

from refonte_studio.db.engine import Database, Event, Reads, Row, Tx, UseCase
from refonte_studio.db.opening import open_database

__all__ = ["Database", "Event", "Reads", "Row", "Tx", "UseCase", "open_database"]
