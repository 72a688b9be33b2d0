#!/bin/sh
# Fuzzes the pure parsers of StorageHTTP, StorageS3 and StorageCore with libFuzzer and AddressSanitizer: run.sh [SECONDS for each harness].
# A crash leaves its input in the corpus folder and ends the run with a failure.
set -eu
seconds=${1:-60}
here=$(cd "$(dirname "$0")" && pwd)
parsing=$here/../../Sources/StorageHTTP/Parsing
work=${FUZZ_DIRECTORY:-${TMPDIR:-/tmp}/storaged-fuzz}
mkdir -p "$work"
# One module of the pure files alone: those of the parsers that need no package, and the values of the core that they read.
core=$here/../../Sources/StorageCore
xml=$here/../../Sources/StorageS3/XML
rm -rf "$work/sources" && mkdir -p "$work/sources"
for file in "$parsing"/*.swift "$xml"/*.swift \
    "$core"/Search/Expression*.swift "$core"/Search/RegularExpression.swift "$core"/Search/ScalarSet.swift \
    "$core"/Errors/StorageError.swift \
    "$core"/Files/MediaType*.swift "$core"/Files/FileKind.swift "$core"/CivilDate.swift "$core"/DecimalNumber.swift; do
    if ! grep '^import' "$file" | grep -qv '^import StorageCore$'; then
        sed '/^import StorageCore$/d' "$file" >"$work/sources/$(basename "$file")"
    fi
done
sources=$(ls "$work"/sources/*.swift)
for harness in "$here"/Fuzz*.swift; do
    name=$(basename "$harness" .swift)
    mkdir -p "$work/$name"
    # shellcheck disable=SC2086
    swiftc -O -wmo -parse-as-library -package-name storaged -swift-version 6 -sanitize=fuzzer,address $sources "$harness" -o "$work/$name.run"
    cp "$here/Seeds/$name"/* "$work/$name/"
    (cd "$work/$name" && "$work/$name.run" -max_total_time="$seconds" -timeout=5 -max_len=4096 -dict="$here/words.dict" .)
done
