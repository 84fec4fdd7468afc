"""What Alembic runs: the migrations, over the connection and within the transaction of who called it."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    # SQLite can undo changes of tables too, once its driver is kept from committing by itself, as ours is.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
