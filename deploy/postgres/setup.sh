#!/usr/bin/env bash
# Brings a PostgreSQL server for the tests of the review store, where there is none and it may be installed.
# Run it as often as you like: done is done, and takes no time.
set -euo pipefail

fail() {
    echo "postgres-setup: $1" >&2
    exit 1
}

# Debian keeps servers where no PATH leads.
[[ -n "$(compgen -G '/usr/lib/postgresql/*/bin/initdb')" ]] || command -v initdb > /dev/null && exit 0

[[ "$(id -u)" == 0 ]] && command -v apt-get > /dev/null \
    || fail "needs a PostgreSQL server: install it (Debian: apt-get install postgresql), then run make postgres-setup again"
apt-get update -qq
# The tests start a server of their own: the package must neither make a cluster nor start one.
mkdir -p /etc/postgresql-common
[[ -e /etc/postgresql-common/createcluster.conf ]] || echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql > /dev/null \
    || fail "apt-get could not install postgresql; install it by hand, then run make postgres-setup again"
