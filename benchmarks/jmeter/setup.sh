#!/usr/bin/env bash
# Lays Apache JMeter out in .jmeter as its distribution does: bin with the launcher and its properties, lib, lib/ext.
# Needs Java 17 or newer and Maven, which `make kafka-setup` installs where they are missing. Done is done, and takes no time.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
home="$(cd "$here/../.." && pwd)/.jmeter"
# The jars that lie there are those that this pom.xml names, or they are fetched again.
stamp="$(cksum < "$here/pom.xml")"

fail() {
    echo "jmeter-setup: $1" >&2
    exit 1
}

if [[ "$(cat "$home/stamp" 2> /dev/null)" == "$stamp" ]]; then
    exit 0
fi

command -v java > /dev/null || fail "needs Java 17 or newer: run make kafka-setup, then this again"
command -v mvn > /dev/null || fail "needs Maven: run make kafka-setup, then this again"

rm -rf "$home"
mkdir -p "$home/bin" "$home/lib/ext"
mvn --batch-mode --quiet -Dstyle.color=never --file "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime \
    -DoutputDirectory="$home/lib" || fail "Maven could not fetch the jars (its message stands above); check its access to Maven Central"

# The launcher takes the folder above its own for JMeter's home, and looks for functions and samplers in lib/ext.
config="$(echo "$home"/lib/ApacheJMeter_config-*.jar)"
python3 - "$config" "$home" << 'PYTHON'
import sys
import zipfile

with zipfile.ZipFile(sys.argv[1]) as jar:
    jar.extractall(sys.argv[2], [name for name in jar.namelist() if name.startswith("bin/") and name.count("/") == 1])
PYTHON
rm "$config"
mv "$home"/lib/ApacheJMeter_*.jar "$home/lib/ext/"
mv "$home"/lib/ApacheJMeter-*.jar "$home/bin/ApacheJMeter.jar"
echo "$stamp" > "$home/stamp"
echo "jmeter-setup: Apache JMeter is in .jmeter"
