#!/bin/sh
# Installs what the stand-in runs on: PostgreSQL and Redis from the system's packages (needs root), and the
# Python packages in a venv under target/. Doing it twice does no harm.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv="$here/../../../target/stand-in"

missing=""
[ -d /usr/lib/postgresql ] || missing="$missing postgresql"
command -v redis-server >/dev/null || missing="$missing redis-server"
/usr/bin/python3 -c 'import ensurepip' 2>/dev/null || missing="$missing python3-venv"
if [ -n "$missing" ]; then
    apt-get update -q
    # Nothing is to start by itself: the benchmark has its own.
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod +x /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends $missing
fi

[ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
"$venv/bin/pip" install -q -r "$here/requirements.txt"
