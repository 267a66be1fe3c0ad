#!/usr/bin/env bash
# Brings Apache Kafka's jars to .kafka/libs, and a JDK 17 and Maven where they are missing and may be installed.
# Run it as often as you like: done is done, and takes no time.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
kafka="$(cd "$here/../.." && pwd)/.kafka"
# The jars that lie there are those that this pom.xml names, or they are fetched again.
stamp="$(cksum < "$here/pom.xml")"

fail() {
    echo "kafka-setup: $1" >&2
    exit 1
}

java_is_usable() {
    # A compiler too: the tests compile examples/java.
    command -v java > /dev/null && command -v javac > /dev/null || return 1
    local major
    major="$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)"
    [[ -n "$major" && "$major" -ge 17 ]]
}

install_package() { # name of the package, or of the first of several that Debian has
    [[ "$(id -u)" == 0 ]] && command -v apt-get > /dev/null \
        || fail "needs $1: install it (Debian: apt-get install openjdk-17-jdk-headless maven), then run make kafka-setup again"
    apt-get update -qq
    local package
    for package in "${@:2}"; do
        DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package" > /dev/null && return
    done
    fail "apt-get could not install $1; install it by hand, then run make kafka-setup again"
}

java_is_usable || install_package "a JDK 17 or newer" openjdk-17-jdk-headless default-jdk-headless
java_is_usable || fail "needs a JDK 17 or newer first in PATH; then run make kafka-setup again"

if [[ "$(cat "$kafka/stamp" 2> /dev/null)" == "$stamp" ]]; then
    exit 0
fi

command -v mvn > /dev/null || install_package "Maven" maven

rm -rf "$kafka/libs" "$kafka/stamp"
mkdir -p "$kafka/libs"
mvn --batch-mode --quiet -Dstyle.color=never --file "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$kafka/libs" \
    || fail "Maven could not fetch the jars (its message stands above); check its access to Maven Central"
echo "$stamp" > "$kafka/stamp"
echo "kafka-setup: Apache Kafka's jars are in .kafka/libs"
