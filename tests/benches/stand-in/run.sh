#!/bin/sh
# Runs the stand-in on loopback until it is told to end: run.sh <port> <orm|sql>. Everything is a child of this script,
# so that its CPU time is that of the whole stack; the data goes with it.
set -eu
port=$1
export STORAGE="$2"
here=$(cd "$(dirname "$0")" && pwd)
venv="$here/../../../target/stand-in"
data=$(mktemp -d /tmp/stand-in.XXXXXX)
chmod 755 "$data"
postgres=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)

# PostgreSQL does not run as root.
as_postgres=""
if [ "$(id -u)" = 0 ]; then
    as_postgres="runuser -u postgres --"
    mkdir "$data/postgres"
    chown postgres "$data/postgres"
fi
children=""
end() {
    trap '' TERM INT
    # shellcheck disable=SC2086
    kill $children 2>/dev/null || true
    wait
    rm -rf "$data"
    exit 0
}
trap end TERM INT

$as_postgres "$postgres/initdb" -D "$data/postgres" -U stand-in -A trust --no-sync >/dev/null
# What the desk promises without a power cut, and no more: no wait for the disk.
$as_postgres "$postgres/postgres" -D "$data/postgres" -k "$data/postgres" -c listen_addresses= \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c shared_buffers=256MB >/dev/null 2>&1 &
children="$children $!"
redis-server --port 0 --unixsocket "$data/redis.sock" --save "" --appendonly no >/dev/null &
children="$children $!"
until "$postgres/pg_isready" -q -h "$data/postgres" -U stand-in && [ -S "$data/redis.sock" ]; do sleep 0.1; done

export DATABASE_URL="postgresql://stand-in@/postgres?host=$data/postgres"
export REDIS_URL="unix://$data/redis.sock"
cd "$here"
"$venv/bin/uvicorn" app:app --host 127.0.0.1 --port "$port" --no-access-log --log-level warning &
children="$children $!"
wait
end
