"""The tables. What each row is, what its columns mean, and what an index is for."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from newsletter.delivery import NEVER_MAILED

REVISION = "0002"
"""The newest migration; a database that names another one that we don't know is of a newer version."""


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time. SQLite keeps no time zone, so it is UTC there, and comes back aware from both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# On SQLite an INTEGER primary key is the row's own number, and BIGINT would not be.
_Id = BigInteger().with_variant(Integer(), "sqlite")
_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("address_key", Text, nullable=False, unique=True),  # a person is unique by it
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("attributes", _Json, nullable=False),  # {name: text}
    Column("tags", _Json, nullable=False),  # [text]
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

lists = Table(
    "lists",
    metadata,
    Column("name", Text, primary_key=True),  # its only name, also in signed unsubscribe links: never renamed
    Column("created_at", UtcDateTime, nullable=False),
)

# Whether a person is on a list. This is the one place that says so; leaving is a status, so that it is remembered.
memberships = Table(
    "memberships",
    metadata,
    Column("list_name", Text, ForeignKey("lists.name"), nullable=False),
    Column("subscriber_id", _Id, ForeignKey("subscribers.id", ondelete="CASCADE"), nullable=False),
    Column("status", Text, nullable=False),  # MembershipStatus
    Column("source", Text, nullable=False),  # what made it so: an import's file name, a form, a link
    Column("changed_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("list_name", "subscriber_id"),
    Index("ix_memberships_subscriber_id", "subscriber_id"),
)

# Evidence that an address must not be mailed by any list. Rows are added and never changed.
suppressions = Table(
    "suppressions",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("address_key", Text, nullable=False, index=True),
    Column("reason", Text, nullable=False),  # SuppressionReason
    Column("source", Text, nullable=False),
    Column("since_at", UtcDateTime, nullable=False),
    Column("detail", Text),
)

# People who were erased, as a salted hash, so that no import brings them back.
forgotten = Table(
    "forgotten",
    metadata,
    Column("address_hash", Text, primary_key=True),  # hex
    Column("since_at", UtcDateTime, nullable=False),
)

# Random words that this database made for itself.
salts = Table(
    "salts",
    metadata,
    Column("purpose", Text, primary_key=True),
    Column("salt", Text, nullable=False),
)

dispatches = Table(
    "dispatches",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("issue_slug", Text, nullable=False, index=True),
    Column("list_name", Text, ForeignKey("lists.name"), nullable=False),
    Column("rehearsal", Boolean, nullable=False),  # to the sandbox: no delivery of it counts
    Column("audience", _Json, nullable=False),  # how it was chosen: segment, exclusions, limit
    Column("envelope", _Json, nullable=False),  # what the messages carry besides the content, frozen
    Column("send_at", UtcDateTime),  # when the provider is told to send; at once when none
    Column("undo_until", UtcDateTime),  # until when the provider promises to call it off
    Column("state", Text, nullable=False),  # DispatchState
    Column("stop_reason", Text),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
)

# One for each variant of the issue that somebody in the audience gets.
rendered_issues = Table(
    "rendered_issues",
    metadata,
    Column("dispatch_id", _Id, ForeignKey("dispatches.id"), nullable=False),
    Column("variant", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("preheader", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("conditions", _Json, nullable=False),  # [source]
    Column("slots", _Json, nullable=False),  # [[token, expression, place]]
    Column("images", LargeBinary, nullable=False),  # JSON of [[content id, file name, media type, base64]]
    PrimaryKeyConstraint("dispatch_id", "variant"),
)

batches = Table(
    "batches",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("dispatch_id", _Id, nullable=False),
    Column("variant", Text, nullable=False),
    Column("size", Integer, nullable=False),  # deliveries in it
    Column("stage", Integer, nullable=False),  # of a ramp: no batch of a later one is claimed before
    Column("mail_batch_id", Text),  # the provider's, by which it can be called off
    Column("state", Text, nullable=False),  # BatchState
    Column("attempt_id", Text),  # the newest attempt
    Column("claimed_by", Text),  # who made it
    Column("claimed_at", UtcDateTime),
    ForeignKeyConstraint(["dispatch_id", "variant"], ["rendered_issues.dispatch_id", "rendered_issues.variant"]),
    Index("ix_batches_dispatch_id_state", "dispatch_id", "state", "id"),  # claims, and tallies
)

# Evidence of every API call: written when its batch is claimed, completed when its outcome is known.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("batch_id", _Id, ForeignKey("batches.id"), nullable=False),
    Column("recipients", Integer, nullable=False),
    Column("claimed_by", Text, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text),  # OutcomeKind; none while it is under way, or when its sender is gone
    Column("detail", Text),
    Column("message_id", Text),  # the provider's
    Index("ix_attempts_batch_id", "batch_id"),
)

_never_mailed = ", ".join(f"'{status}'" for status in sorted(NEVER_MAILED))
MAY_HAVE_BEEN_MAILED = text(f"status IS NULL OR status NOT IN ({_never_mailed})")
NEVER_WAS_MAILED = text(f"status IN ({_never_mailed})")

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("dispatch_id", _Id, ForeignKey("dispatches.id"), nullable=False),
    Column("batch_id", _Id, ForeignKey("batches.id")),  # none: suppressed when planned
    # Not a foreign key: a person may be erased, and what was sent remains.
    Column("subscriber_id", _Id, nullable=False),
    Column("issue_slug", Text, nullable=False),
    Column("address_key", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("values", _Json),  # of the variant's slots, in their order; none when it has no slots
    Column("status", Text),  # DeliveryStatus, when it isn't that of the batch
    Column("reason", Text),  # of a status of its own
    Index("ix_deliveries_batch_id", "batch_id"),
    # Nobody gets an issue twice, in whatever dispatch. With the next one: everything about an address.
    Index(
        "uq_deliveries_address_key_issue_slug",
        "address_key",
        "issue_slug",
        unique=True,
        sqlite_where=MAY_HAVE_BEEN_MAILED,
        postgresql_where=MAY_HAVE_BEEN_MAILED,
    ),
    Index(
        "ix_deliveries_address_key_never_mailed",
        "address_key",
        sqlite_where=NEVER_WAS_MAILED,
        postgresql_where=NEVER_WAS_MAILED,
    ),
    # Tallies count batches, and correct them by these.
    Index(
        "ix_deliveries_own_status",
        "dispatch_id",
        "status",
        "batch_id",
        sqlite_where=text("status IS NOT NULL"),
        postgresql_where=text("status IS NOT NULL"),
    ),
)

# What the provider reported later, each report once.
events = Table(
    "events",
    metadata,
    Column("id", Text, primary_key=True),  # the provider's
    Column("delivery_id", _Id, ForeignKey("deliveries.id"), nullable=False),
    Column("attempt_id", Text),
    Column("kind", Text, nullable=False),  # EventKind
    Column("occurred_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("detail", Text),
    Index("ix_events_delivery_id", "delivery_id"),
)
