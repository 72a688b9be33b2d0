# shellcheck shell=bash
# Sourced by every script: puts the directory of the Swift toolchain first in PATH.
# A `swift` counts only with `swiftc` beside it, because Debian's python3-swiftclient installs another program of that name.

toolchain_directory() {
    local swift directory
    while IFS= read -r swift; do
        directory=$(dirname "$swift")
        if [[ -x "$directory/swiftc" ]]; then
            printf '%s\n' "$directory"
            return 0
        fi
    done < <(
        type -ap swift
        printf '%s\n' "${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}/swift"
    )
    return 1
}

if directory=$(toolchain_directory); then
    PATH="$directory:$PATH"
    export PATH
fi
unset directory
