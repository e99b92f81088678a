"""The stack of the source documents, for comparison: FastAPI, SQLAlchemy, PostgreSQL, Redis.

It does what a send has to do, and nothing else: the token is verified, the sender is a member, two sliding windows
are passed, the message takes the next number and is stored once per `client_message_id`, and Redis tells whoever
listens, each with how much they have not read. What was acknowledged is told even by a process that died in between:
with the message goes a row in an outbox, which whoever has published deletes. One process, as the documents have it;
uvloop, httptools and hiredis, so that it is no slower than it must be.

`STORAGE` chooses how it talks to PostgreSQL: `orm` as the documents do, with the models of SQLAlchemy over asyncpg,
or `sql`, the same statements by hand over asyncpg alone.
"""

import asyncio
import importlib
import json
import os
import time
import uuid
from collections import defaultdict
from contextlib import asynccontextmanager
from datetime import datetime

import jwt
import redis.asyncio as redis
from fastapi import Depends, FastAPI, Header, HTTPException, Response, WebSocket, WebSocketDisconnect
from pydantic import BaseModel, Field

storage = importlib.import_module(os.environ["STORAGE"])

SECRET = os.environ["JWT_SECRET_KEY"]
# Per minute, as in Tidings.
LIMITS = {"sends": 30, "requests": 100}
CHANNEL = "conversation:"


class NewMessage(BaseModel):
    content: str = Field(min_length=1, max_length=2000)
    client_message_id: str | None = Field(default=None, max_length=128)


class NewConversation(BaseModel):
    name: str
    member_ids: list[uuid.UUID]


class MessageResponse(BaseModel):
    id: uuid.UUID
    conversation_id: uuid.UUID
    seq: int
    sender_id: uuid.UUID
    sender_username: str | None
    content: str
    client_message_id: str | None
    created_at: datetime


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
        last_read = await app.state.store.last_read(conversation, [user for _, user in sockets])
        frames = (
            json.dumps({"type": "new_message", **event, "unread_count": min(event["seq"] - last_read[user], 99)})
            for _, user in sockets
        )
        sending = (socket.send_text(frame) for (socket, _), frame in zip(sockets, frames))
        await asyncio.gather(*sending, return_exceptions=True)


async def publish(conversation, seq, message):
    """Tells whoever listens, and forgets that it has to be told."""
    await app.state.redis.publish(CHANNEL + str(conversation), json.dumps({"seq": seq, "message": message}))
    await app.state.store.told(uuid.UUID(message["id"]))


listeners = Listeners()


@asynccontextmanager
async def lifespan(app):
    app.state.store = await storage.open_store(os.environ["DATABASE_URL"])
    app.state.redis = redis.from_url(os.environ["REDIS_URL"])
    pubsub = app.state.redis.pubsub()
    await pubsub.psubscribe(CHANNEL + "*")
    relay = asyncio.create_task(listeners.relay(pubsub))
    for conversation, seq, message in await app.state.store.untold():
        await publish(conversation, seq, json.loads(message))
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


@app.get("/api/v1/users/me")
async def me(claims=Depends(caller)):
    await app.state.store.know(uuid.UUID(claims["sub"]), claims.get("username", ""))
    return {"id": claims["sub"]}


async def open_conversation(conversation, users):
    await app.state.store.open_conversation(conversation, users)
    return {"id": str(conversation)}


@app.post("/api/conversations/dm/{other}", status_code=201)
async def open_direct(other: uuid.UUID, claims=Depends(caller)):
    pair = sorted([uuid.UUID(claims["sub"]), other])
    return await open_conversation(uuid.uuid5(pair[0], str(pair[1])), pair)


@app.post("/api/conversations", status_code=201)
async def open_group(body: NewConversation, claims=Depends(caller)):
    return await open_conversation(uuid.uuid4(), {uuid.UUID(claims["sub"]), *body.member_ids})


@app.post("/api/conversations/{conversation}/messages", status_code=201)
async def send(
    conversation: uuid.UUID, body: NewMessage, response: Response, claims=Depends(caller)
) -> MessageResponse:
    sender = uuid.UUID(claims["sub"])
    await admit(sender, "sends", "requests")

    def shown(row):
        return MessageResponse(
            id=row.id, conversation_id=row.conversation_id, seq=row.seq, sender_id=row.sender_id,
            sender_username=claims.get("username"), content=row.content, client_message_id=row.client_message_id,
            created_at=row.created_at,
        )

    message, is_new = await app.state.store.append(
        conversation, sender, body.content, body.client_message_id, shown
    )
    if message is None:
        raise HTTPException(404, "no such conversation")
    if is_new:
        await publish(conversation, message.seq, message.model_dump(mode="json"))
    else:
        response.headers["Idempotency-Replayed"] = "true"
    return message


@app.websocket("/")
async def listen(socket: WebSocket, token: str):
    user = uuid.UUID(verified(token)["sub"])
    await socket.accept()
    joined = await app.state.store.joined(user)
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
