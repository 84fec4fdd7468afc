"""The first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_NEVER_WAS_MAILED = sa.text("status IN ('cancelled', 'refused', 'suppressed')")
_MAY_HAVE_BEEN_MAILED = sa.text("status IS NULL OR status NOT IN ('cancelled', 'refused', 'suppressed')")
_OWN_STATUS = sa.text("status IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "lists",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lists"),
    )
    op.create_table(
        "subscribers",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("attributes", _JSON, nullable=False),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscribers"),
        sa.UniqueConstraint("address_key", name="uq_subscribers_address_key"),
    )
    op.create_table(
        "suppressions",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_suppressions"),
    )
    op.create_index("ix_suppressions_address_key", "suppressions", ["address_key"], unique=False)
    op.create_table(
        "dispatches",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("issue_slug", sa.Text(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("envelope", _JSON, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stop_reason", sa.Text(), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["list_name"], ["lists.name"], name="fk_dispatches_list_name"),
        sa.PrimaryKeyConstraint("id", name="pk_dispatches"),
    )
    op.create_index("ix_dispatches_issue_slug", "dispatches", ["issue_slug"], unique=False)
    op.create_table(
        "memberships",
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["list_name"], ["lists.name"], name="fk_memberships_list_name"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name="fk_memberships_subscriber_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("list_name", "subscriber_id", name="pk_memberships"),
    )
    op.create_index("ix_memberships_subscriber_id", "memberships", ["subscriber_id"], unique=False)
    op.create_table(
        "rendered_issues",
        sa.Column("dispatch_id", _ID, nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("preheader", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("conditions", _JSON, nullable=False),
        sa.Column("slots", _JSON, nullable=False),
        sa.Column("images", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dispatch_id"], ["dispatches.id"], name="fk_rendered_issues_dispatch_id"),
        sa.PrimaryKeyConstraint("dispatch_id", "variant", name="pk_rendered_issues"),
    )
    op.create_table(
        "batches",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("dispatch_id", _ID, nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("claimed_by", sa.Text(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["dispatch_id", "variant"],
            ["rendered_issues.dispatch_id", "rendered_issues.variant"],
            name="fk_batches_dispatch_id_variant",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
    )
    op.create_index("ix_batches_dispatch_id_state", "batches", ["dispatch_id", "state", "id"], unique=False)
    op.create_table(
        "attempts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("batch_id", _ID, nullable=False),
        sa.Column("recipients", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_attempts_batch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_batch_id", "attempts", ["batch_id"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        sa.Column("dispatch_id", _ID, nullable=False),
        sa.Column("batch_id", _ID, nullable=True),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("issue_slug", sa.Text(), nullable=False),
        sa.Column("address_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("values", _JSON, nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name="fk_deliveries_batch_id"),
        sa.ForeignKeyConstraint(["dispatch_id"], ["dispatches.id"], name="fk_deliveries_dispatch_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index(
        "ix_deliveries_address_key_never_mailed",
        "deliveries",
        ["address_key"],
        unique=False,
        sqlite_where=_NEVER_WAS_MAILED,
        postgresql_where=_NEVER_WAS_MAILED,
    )
    op.create_index("ix_deliveries_batch_id", "deliveries", ["batch_id"], unique=False)
    op.create_index(
        "ix_deliveries_own_status",
        "deliveries",
        ["dispatch_id", "status", "batch_id"],
        unique=False,
        sqlite_where=_OWN_STATUS,
        postgresql_where=_OWN_STATUS,
    )
    op.create_index(
        "uq_deliveries_address_key_issue_slug",
        "deliveries",
        ["address_key", "issue_slug"],
        unique=True,
        sqlite_where=_MAY_HAVE_BEEN_MAILED,
        postgresql_where=_MAY_HAVE_BEEN_MAILED,
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_events_delivery_id"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_index("ix_events_delivery_id", "events", ["delivery_id"], unique=False)
