#!/usr/bin/env bash
# Plays the Dockerfile where no container engine runs: a clean root file system by debootstrap stands in for the base image, each
# step runs in it by chroot, and then every command of the image is started there: not as root, the root file system read-only.
#
#   deploy/image/rehearse.sh [FOLDER]      as root; minutes, and 2 GB under FOLDER (default: a new one under TMPDIR, removed at the end)
#
# What it doesn't show: the real base image, layers, the engine's HEALTHCHECK and limits. Debian's Python 3.11 is not python.org's.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"

fail() {
    echo "rehearse: $1" >&2
    exit 1
}

[[ "$(id -u)" == 0 ]] || fail "needs root, for chroot and mounts: run it with sudo"
for tool in debootstrap unshare chroot python3.11; do
    command -v "$tool" > /dev/null || fail "needs $tool (Debian: apt-get install debootstrap util-linux coreutils python3.11)"
done

work="${1:-}"
if [[ -z "$work" ]]; then
    work="$(mktemp -d)"
    trap 'rm -rf --one-file-system "$work"' EXIT
fi
mkdir -p "$work"

if [[ ! -e "$work/base.done" ]]; then
    echo "rehearse: debootstrap bookworm -> $work/base"
    debootstrap --variant=minbase --include=ca-certificates,python3.11,python3.11-venv,python3-distutils bookworm "$work/base" \
        > "$work/debootstrap.log" 2>&1 || fail "debootstrap failed; see $work/debootstrap.log"
    touch "$work/base.done"
fi

# Mounts and processes of the rehearsal end with it.
unshare --mount --pid --fork --kill-child --mount-proc python3.11 "$here/rehearsal.py" "$root" "$work"
