#!/usr/bin/env bash
# Brings Prometheus and its promtool to .tools/prometheus, unless both are in PATH: Debian's package, unpacked and not installed, so
# that no service is started. Run it as often as you like: done is done, and takes no time.
set -euo pipefail

tools="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.tools"

fail() {
    echo "prometheus-setup: $1" >&2
    exit 1
}

if [[ -x "$tools/prometheus/promtool" && -x "$tools/prometheus/prometheus" ]] \
    || { command -v promtool > /dev/null && command -v prometheus > /dev/null; }; then
    exit 0
fi

command -v apt-get > /dev/null && command -v dpkg > /dev/null \
    || fail "needs promtool and prometheus in PATH: install Prometheus 2.42 or newer, then run make prometheus-setup again"

unpacked="$(mktemp -d)"
trap 'rm -rf "$unpacked"' EXIT
cd "$unpacked"
# The list of packages may be old, or missing; only root may renew it. apt's own user can't write here, and apt says so each time.
apt-get download -qq prometheus 2> /dev/null \
    || { apt-get update -qq && apt-get download -qq prometheus 2> /dev/null; } \
    || fail "apt-get could not fetch the package prometheus; as root: apt-get update, then run make prometheus-setup again"
dpkg -x prometheus_*.deb .
mkdir -p "$tools/prometheus"
mv usr/bin/promtool usr/bin/prometheus "$tools/prometheus/"
"$tools/prometheus/promtool" --version > /dev/null 2>&1 || fail "promtool doesn't start on this machine; install Prometheus by hand"
echo "prometheus-setup: $("$tools/prometheus/promtool" --version 2>&1 | head -n 1 | cut -d ' ' -f 1-3) is in .tools/prometheus"
