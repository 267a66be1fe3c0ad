#!/usr/bin/env bash
# Brings Chromium, in which the tests open the console's pages: Debian's package, unless chromium is in PATH. Run it as often as you
# like: done is done, and takes no time.
set -euo pipefail

fail() {
    echo "browser-setup: $1" >&2
    exit 1
}

command -v chromium > /dev/null && exit 0

command -v apt-get > /dev/null || fail "needs chromium in PATH: install Chromium, then run make browser-setup again"
[[ "$(id -u)" == 0 ]] || fail "needs chromium in PATH; as root: apt-get update && apt-get install --yes chromium"
echo "browser-setup: installing chromium, once"
export DEBIAN_FRONTEND=noninteractive
apt-get install --yes -qq --no-install-recommends chromium > /dev/null 2>&1 \
    || { apt-get update -qq && apt-get install --yes -qq --no-install-recommends chromium > /dev/null; } \
    || fail "apt-get could not install chromium (its message stands above)"
command -v chromium > /dev/null || fail "the package brought no chromium; install Chromium by hand"
