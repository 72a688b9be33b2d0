#!/bin/sh
# Fuzzes the pure parsers of StorageHTTP with libFuzzer and AddressSanitizer: run.sh [SECONDS for each harness].
# A crash leaves its input in the corpus folder and ends the run with a failure.
set -eu
seconds=${1:-60}
here=$(cd "$(dirname "$0")" && pwd)
parsing=$here/../../Sources/StorageHTTP/Parsing
work=${FUZZ_DIRECTORY:-${TMPDIR:-/tmp}/storaged-fuzz}
mkdir -p "$work"
# Files that import a package cannot be compiled alone; what they add to the pure ones is covered by the unit tests.
sources=$(grep -L '^import' "$parsing"/*.swift)
for harness in "$here"/Fuzz*.swift; do
    name=$(basename "$harness" .swift)
    mkdir -p "$work/$name"
    swiftc -O -wmo -parse-as-library -swift-version 6 -sanitize=fuzzer,address $sources "$harness" -o "$work/$name.run"
    cp "$here/Seeds/$name"/* "$work/$name/"
    (cd "$work/$name" && "$work/$name.run" -max_total_time="$seconds" -timeout=5 -max_len=4096 -dict="$here/words.dict" .)
done
