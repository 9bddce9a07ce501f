"""The entry point of Alembic: runs on the connection provided by `db.migrate`."""

from alembic import context

from refonte_studio.db.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
