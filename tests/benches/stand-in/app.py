"""The stack of the source documents, for comparison: FastAPI, PostgreSQL, Redis.

It does what a send has to do, and nothing else: the token is verified, the sender is a member, two sliding windows
are passed, the message takes the next number and is stored once per `client_message_id`, and Redis tells whoever
listens, each with how much they have not read. What was acknowledged is told even by a process that died in between:
with the message goes a row in an outbox, which whoever has published deletes. One process, as the documents have it;
uvloop, httptools, asyncpg and hiredis, so that it is no slower than it must be.
"""

import asyncio
import json
import os
import time
import uuid
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import datetime, timezone

import asyncpg
import jwt
import redis.asyncio as redis
from fastapi import Depends, FastAPI, Header, HTTPException, Response, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field

SECRET = os.environ["JWT_SECRET_KEY"]
# Per minute, as in Tidings.
LIMITS = {"sends": 30, "requests": 100}
CHANNEL = "conversation:"
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


class Listeners:
    """The sockets of this process and whose they are, by conversation."""

    def __init__(self):
        self.sockets = defaultdict(dict)

    async def relay(self, pubsub):
        async for event in pubsub.listen():
            if event["type"] == "pmessage":
                conversation = event["channel"].decode().removeprefix(CHANNEL)
                await self.tell(uuid.UUID(conversation), json.loads(event["data"]))

    async def tell(self, conversation, event):
        sockets = list(self.sockets.get(conversation, {}).items())
        rows = await app.state.pool.fetch(
            "SELECT user_id, last_read_seq FROM members WHERE conversation_id = $1 AND user_id = ANY($2)",
            conversation, [user for _, user in sockets],
        )
        last_read = {row["user_id"]: row["last_read_seq"] for row in rows}
        frames = (
            json.dumps({"type": "new_message", **event, "unread_count": min(event["seq"] - last_read[user], 99)})
            for _, user in sockets
        )
        sending = (socket.send_text(frame) for (socket, _), frame in zip(sockets, frames))
        await asyncio.gather(*sending, return_exceptions=True)


async def publish(conversation, seq, message):
    """Tells whoever listens, and forgets that it has to be told."""
    await app.state.redis.publish(CHANNEL + str(conversation), json.dumps({"seq": seq, "message": message}))
    await app.state.pool.execute("DELETE FROM outbox WHERE message_id = $1", uuid.UUID(message["id"]))


listeners = Listeners()


async def keep(connection):
    """What a connection is cleaned of when it goes back to the pool: nothing, which saves a round trip."""


@asynccontextmanager
async def lifespan(app):
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=20, reset=keep)
    await app.state.pool.execute(SCHEMA)
    app.state.redis = redis.from_url(os.environ["REDIS_URL"])
    pubsub = app.state.redis.pubsub()
    await pubsub.psubscribe(CHANNEL + "*")
    relay = asyncio.create_task(listeners.relay(pubsub))
    for row in await app.state.pool.fetch("SELECT * FROM outbox ORDER BY seq"):
        await publish(row["conversation_id"], row["seq"], json.loads(row["message"]))
    yield
    relay.cancel()


app = FastAPI(lifespan=lifespan)


def verified(token):
    try:
        return jwt.decode(token, SECRET, algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError as error:
        raise HTTPException(401, "unauthenticated") from error


def caller(authorization: str = Header()):
    return verified(authorization.removeprefix("Bearer "))


async def admit(user, *buckets):
    """Sliding windows: a sorted set per bucket, in one round trip."""
    now = time.time()
    async with app.state.redis.pipeline(transaction=True) as pipe:
        for bucket in buckets:
            key = f"rate:{bucket}:{user}"
            pipe.zremrangebyscore(key, 0, now - 60).zcard(key).zadd(key, {str(uuid.uuid4()): now}).expire(key, 61)
        answers = await pipe.execute()
    for index, bucket in enumerate(buckets):
        if answers[4 * index + 1] >= LIMITS[bucket]:
            raise HTTPException(429, "rate limited", headers={"Retry-After": "60"})


class NewMessage(BaseModel):
    content: str = Field(min_length=1, max_length=2000)
    client_message_id: str | None = Field(default=None, max_length=128)


class NewConversation(BaseModel):
    name: str
    member_ids: list[uuid.UUID]


@app.get("/api/v1/users/me")
async def me(claims=Depends(caller)):
    await app.state.pool.execute(
        "INSERT INTO users VALUES ($1, $2) ON CONFLICT DO NOTHING", uuid.UUID(claims["sub"]), claims.get("username", "")
    )
    return {"id": claims["sub"]}


async def open_conversation(conversation, users):
    async with app.state.pool.acquire() as database, database.transaction():
        await database.execute("INSERT INTO conversations VALUES ($1) ON CONFLICT DO NOTHING", conversation)
        await database.executemany(
            "INSERT INTO members VALUES ($1, $2) ON CONFLICT DO NOTHING", [(conversation, user) for user in users]
        )
    return {"id": str(conversation)}


@app.post("/api/conversations/dm/{other}", status_code=201)
async def open_direct(other: uuid.UUID, claims=Depends(caller)):
    pair = sorted([uuid.UUID(claims["sub"]), other])
    return await open_conversation(uuid.uuid5(pair[0], str(pair[1])), pair)


@app.post("/api/conversations", status_code=201)
async def open_group(body: NewConversation, claims=Depends(caller)):
    return await open_conversation(uuid.uuid4(), {uuid.UUID(claims["sub"]), *body.member_ids})


@app.post("/api/conversations/{conversation}/messages", status_code=201)
async def send(conversation: uuid.UUID, body: NewMessage, response: Response, claims=Depends(caller)):
    sender = uuid.UUID(claims["sub"])
    await admit(sender, "sends", "requests")
    async with app.state.pool.acquire() as database, database.transaction():
        member = await database.fetchval(
            "SELECT 1 FROM members WHERE conversation_id = $1 AND user_id = $2", conversation, sender
        )
        if member is None:
            raise HTTPException(404, "no such conversation")
        seq = await database.fetchval(
            "UPDATE conversations SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq", conversation
        )
        row = await database.fetchrow(
            "SELECT * FROM messages WHERE conversation_id = $1 AND sender_id = $2 AND client_message_id = $3",
            conversation, sender, body.client_message_id,
        )
        if row is None:
            row = await database.fetchrow(
                "INSERT INTO messages VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *",
                uuid.uuid4(), conversation, seq, sender, body.content, body.client_message_id,
                datetime.now(timezone.utc),
            )
            message = shown(row, claims)
            await database.execute(
                "INSERT INTO outbox VALUES ($1, $2, $3, $4)", row["id"], conversation, seq, json.dumps(message)
            )
        else:
            await database.execute("UPDATE conversations SET last_seq = last_seq - 1 WHERE id = $1", conversation)
            response.headers["Idempotency-Replayed"] = "true"
            return shown(row, claims)
    await publish(conversation, row["seq"], message)
    return message


def shown(row, claims):
    return {
        "id": str(row["id"]), "conversation_id": str(row["conversation_id"]), "seq": row["seq"],
        "sender_id": str(row["sender_id"]), "sender_username": claims.get("username"), "content": row["content"],
        "client_message_id": row["client_message_id"], "created_at": row["created_at"].isoformat(),
    }


@app.websocket("/")
async def listen(socket: WebSocket, token: str):
    user = uuid.UUID(verified(token)["sub"])
    await socket.accept()
    rows = await app.state.pool.fetch("SELECT conversation_id FROM members WHERE user_id = $1", user)
    joined = [row["conversation_id"] for row in rows]
    for conversation in joined:
        listeners.sockets[conversation][socket] = user
    await socket.send_text('{"type":"listening"}')
    try:
        while True:
            await socket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        for conversation in joined:
            listeners.sockets[conversation].pop(socket, None)
