"""What the delivery engine needs: how an audience was chosen, schedules, ramps; and who was erased."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("dispatches", sa.Column("rehearsal", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("dispatches", sa.Column("audience", _JSON, nullable=False, server_default="{}"))
    op.add_column("dispatches", sa.Column("send_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("dispatches", sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("batches", sa.Column("stage", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("batches", sa.Column("mail_batch_id", sa.Text(), nullable=True))
    op.create_table(
        "forgotten",
        sa.Column("address_hash", sa.Text(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name="pk_forgotten"),
    )
    op.create_table(
        "salts",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("purpose", name="pk_salts"),
    )
