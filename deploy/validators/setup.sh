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

# Debian 12's own Go is too old, so there is nothing to install for the person here.
go_is_usable || fail "needs Go 1.24 or newer first in PATH (Debian 13: apt-get install golang-go), then run make validators-setup again"

echo "validators-setup: building kustomize and compose-spec, once"
for module in "$kustomize" "$compose"; do
    GOBIN="$tools/bin" GOFLAGS=-buildvcs=false go install "$module" \
        || fail "go could not build $module (its message stands above); check its access to the Go module proxy"
done
mv "$tools/bin/cmd" "$tools/bin/compose-spec"
echo "$stamp" > "$tools/validators"
