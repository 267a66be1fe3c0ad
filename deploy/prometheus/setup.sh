#!/usr/bin/env bash
# Brings what docker-compose.yml starts beside Kafka and our own image to .tools/prometheus: Prometheus and its promtool, Alertmanager,
# nginx. Debian's packages, unpacked and not installed, so that no service is started. What is in PATH already isn't fetched. Run it
# as often as you like: done is done, and takes no time.
set -euo pipefail

tools="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.tools"

fail() {
    echo "prometheus-setup: $1" >&2
    exit 1
}

# The programs that are there neither here nor in PATH, by package.
needed=()
missing() {
    local program
    for program in "${@:2}"; do
        [[ -x "$tools/prometheus/$program" ]] || command -v "$program" > /dev/null || {
            needed+=("$1")
            return
        }
    done
}
missing prometheus prometheus promtool
missing prometheus-alertmanager prometheus-alertmanager
missing nginx nginx
((${#needed[@]})) || exit 0

command -v apt-get > /dev/null && command -v dpkg > /dev/null \
    || fail "needs ${needed[*]} in PATH: install Prometheus 2.42, Alertmanager 0.25, nginx 1.22 or newer, then run make prometheus-setup again"

unpacked="$(mktemp -d)"
trap 'rm -rf "$unpacked"' EXIT
cd "$unpacked"
# The list of packages may be old, or missing; only root may renew it. apt's own user can't write here, and apt says so each time.
apt-get download -qq "${needed[@]}" 2> /dev/null \
    || { apt-get update -qq && apt-get download -qq "${needed[@]}" 2> /dev/null; } \
    || fail "apt-get could not fetch ${needed[*]}; as root: apt-get update, then run make prometheus-setup again"
for package in *.deb; do
    dpkg -x "$package" .
done
mkdir -p "$tools/prometheus"
for program in usr/bin/promtool usr/bin/prometheus usr/bin/prometheus-alertmanager usr/sbin/nginx; do
    [[ ! -e "$program" ]] || mv "$program" "$tools/prometheus/"
done
# Debian's Alertmanager looks for its templates where its package would have put them, and starts nowhere else.
templates=/usr/share/prometheus/alertmanager
if [[ -d ".$templates" && ! -e "$templates/default.tmpl" ]]; then
    mkdir -p "$templates" 2> /dev/null && cp ".$templates"/*.tmpl "$templates/" \
        || fail "Alertmanager needs its templates in $templates; as root: apt-get install prometheus-alertmanager"
fi
echo "prometheus-setup: $(cd "$tools/prometheus" && echo *) in .tools/prometheus"
