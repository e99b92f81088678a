"""PostgreSQL by hand: the statements themselves, over asyncpg."""

import uuid
from datetime import datetime, timezone

import asyncpg

SCHEMA = """
CREATE TABLE users (id uuid PRIMARY KEY, username text NOT NULL);
CREATE TABLE conversations (id uuid PRIMARY KEY, last_seq bigint NOT NULL DEFAULT 0);
CREATE TABLE members (
    conversation_id uuid REFERENCES conversations, user_id uuid REFERENCES users,
    last_read_seq bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (conversation_id, user_id));
CREATE INDEX ON members (user_id);
CREATE TABLE messages (
    id uuid PRIMARY KEY, conversation_id uuid NOT NULL REFERENCES conversations, seq bigint NOT NULL,
    sender_id uuid NOT NULL REFERENCES users, content text NOT NULL, client_message_id text,
    created_at timestamptz NOT NULL,
    UNIQUE (conversation_id, seq), UNIQUE (conversation_id, sender_id, client_message_id));
CREATE TABLE outbox (
    message_id uuid PRIMARY KEY, conversation_id uuid NOT NULL, seq bigint NOT NULL, message text NOT NULL);
"""


class Row(asyncpg.Record):
    def __getattr__(self, name):
        return self[name]


async def keep(connection):
    """What a connection is cleaned of when it goes back to the pool: nothing, which saves a round trip."""


async def open_store(url):
    pool = await asyncpg.create_pool(url, min_size=4, max_size=20, reset=keep, record_class=Row)
    await pool.execute(SCHEMA)
    return Store(pool)


class Store:
    def __init__(self, pool):
        self.pool = pool

    async def know(self, user, username):
        await self.pool.execute("INSERT INTO users VALUES ($1, $2) ON CONFLICT DO NOTHING", user, username)

    async def open_conversation(self, conversation, users):
        async with self.pool.acquire() as database, database.transaction():
            await database.execute("INSERT INTO conversations VALUES ($1) ON CONFLICT DO NOTHING", conversation)
            await database.executemany(
                "INSERT INTO members VALUES ($1, $2) ON CONFLICT DO NOTHING", [(conversation, user) for user in users]
            )

    async def joined(self, user):
        rows = await self.pool.fetch("SELECT conversation_id FROM members WHERE user_id = $1", user)
        return [row.conversation_id for row in rows]

    async def append(self, conversation, sender, content, client_message_id, shown):
        """The message as shown and whether it is new; nothing to who is no member."""
        async with self.pool.acquire() as database, database.transaction():
            member = await database.fetchval(
                "SELECT 1 FROM members WHERE conversation_id = $1 AND user_id = $2", conversation, sender
            )
            if member is None:
                return None, False
            seq = await database.fetchval(
                "UPDATE conversations SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq", conversation
            )
            before = await database.fetchrow(
                "SELECT * FROM messages WHERE conversation_id = $1 AND sender_id = $2 AND client_message_id = $3",
                conversation, sender, client_message_id,
            )
            if before is not None:
                await database.execute("UPDATE conversations SET last_seq = last_seq - 1 WHERE id = $1", conversation)
                return shown(before), False
            row = await database.fetchrow(
                "INSERT INTO messages VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *",
                uuid.uuid4(), conversation, seq, sender, content, client_message_id, datetime.now(timezone.utc),
            )
            message = shown(row)
            await database.execute(
                "INSERT INTO outbox VALUES ($1, $2, $3, $4)", row.id, conversation, seq, message.model_dump_json()
            )
        return message, True

    async def untold(self):
        rows = await self.pool.fetch("SELECT * FROM outbox ORDER BY seq")
        return [(row.conversation_id, row.seq, row.message) for row in rows]

    async def told(self, message):
        await self.pool.execute("DELETE FROM outbox WHERE message_id = $1", message)

    async def last_read(self, conversation, users):
        rows = await self.pool.fetch(
            "SELECT user_id, last_read_seq FROM members WHERE conversation_id = $1 AND user_id = ANY($2)",
            conversation, users,
        )
        return {row.user_id: row.last_read_seq for row in rows}
