"""What published clients of the family ask for, and what keeps teams, people and servers safe from each other."""

from alembic import op

from refonte_studio.db.migrations.names import give_names_one_form

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _teams()
    _projects()
    _files()
    _tasks()
    _work()
    _callbacks()
    give_names_one_form(op.get_bind())


def _teams() -> None:
    pass


def _projects() -> None:
    pass


def _files() -> None:
    pass


def _tasks() -> None:
    pass


def _work() -> None:
    pass


def _callbacks() -> None:
    pass
