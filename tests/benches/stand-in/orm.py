"""PostgreSQL as the source documents use it: models of SQLAlchemy 2.0, sessions over asyncpg."""

import uuid
from datetime import datetime, timezone

from sqlalchemy import BigInteger, DateTime, ForeignKey, UniqueConstraint, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    username: Mapped[str]


class Conversation(Base):
    __tablename__ = "conversations"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    last_seq: Mapped[int] = mapped_column(BigInteger, default=0)


class Member(Base):
    __tablename__ = "members"
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    last_read_seq: Mapped[int] = mapped_column(BigInteger, default=0)


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "sender_id", "client_message_id"),
    )
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    sender_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    content: Mapped[str]
    client_message_id: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Untold(Base):
    __tablename__ = "outbox"
    message_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[uuid.UUID]
    seq: Mapped[int] = mapped_column(BigInteger)
    message: Mapped[str]


async def open_store(url):
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1), pool_size=20)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    return Store(async_sessionmaker(engine, expire_on_commit=False))


class Store:
    def __init__(self, sessions):
        self.sessions = sessions

    async def know(self, user, username):
        async with self.sessions.begin() as session:
            await session.execute(insert(User).values(id=user, username=username).on_conflict_do_nothing())

    async def open_conversation(self, conversation, users):
        async with self.sessions.begin() as session:
            await session.execute(insert(Conversation).values(id=conversation).on_conflict_do_nothing())
            members = [{"conversation_id": conversation, "user_id": user} for user in users]
            await session.execute(insert(Member).values(members).on_conflict_do_nothing())

    async def joined(self, user):
        async with self.sessions() as session:
            return list(await session.scalars(select(Member.conversation_id).where(Member.user_id == user)))

    async def append(self, conversation, sender, content, client_message_id, shown):
        """The message as shown and whether it is new; nothing to who is no member."""
        async with self.sessions.begin() as session:
            if await session.get(Member, (conversation, sender)) is None:
                return None, False
            counted = update(Conversation).where(Conversation.id == conversation)
            seq = await session.scalar(
                counted.values(last_seq=Conversation.last_seq + 1).returning(Conversation.last_seq)
            )
            before = await session.scalar(
                select(Message).where(
                    Message.conversation_id == conversation,
                    Message.sender_id == sender,
                    Message.client_message_id == client_message_id,
                )
            )
            if before is not None:
                await session.execute(counted.values(last_seq=Conversation.last_seq - 1))
                return shown(before), False
            row = Message(
                id=uuid.uuid4(), conversation_id=conversation, seq=seq, sender_id=sender, content=content,
                client_message_id=client_message_id, created_at=datetime.now(timezone.utc),
            )
            message = shown(row)
            text = message.model_dump_json()
            session.add_all([row, Untold(message_id=row.id, conversation_id=conversation, seq=seq, message=text)])
        return message, True

    async def untold(self):
        async with self.sessions() as session:
            rows = await session.scalars(select(Untold).order_by(Untold.seq))
            return [(row.conversation_id, row.seq, row.message) for row in rows]

    async def told(self, message):
        async with self.sessions.begin() as session:
            await session.execute(delete(Untold).where(Untold.message_id == message))

    async def last_read(self, conversation, users):
        async with self.sessions() as session:
            rows = await session.execute(
                select(Member.user_id, Member.last_read_seq).where(
                    Member.conversation_id == conversation, Member.user_id.in_(users)
                )
            )
            return {user: seq for user, seq in rows}
