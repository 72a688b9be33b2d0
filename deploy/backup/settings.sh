# shellcheck shell=bash
# Sourced by storaged-backup and storaged-restore: the settings as `storaged config` tells them, in `settings`.
#
# It hides what is secret. A secret that the daemon has from its environment is read there; one that it has from a file is not,
# because this would have to read files as the daemon does: it ends the script with exit status 78.

storaged=${STORAGED:-storaged}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

need() {
    command -v "$1" >/dev/null || {
        say "needs $1"
        exit 69
    }
}

settings=$("$storaged" config --json)

# The value of a setting.
setting() { sed -n 's/^{"key":"'"${1//./\\.}"'".*"value":"\([^"]*\)"}$/\1/p' <<<"$settings"; }

# Where the value of a setting comes from.
origin() { sed -n 's/^{"key":"'"${1//./\\.}"'","source":"\([^"]*\)".*/\1/p' <<<"$settings"; }

# The value of a secret setting; nothing if it has none.
secret() {
    local from variable
    from=$(origin "$1")
    [[ $from != default ]] || return 0
    variable=${from% in the environment}
    [[ $variable != "$from" ]] || {
        say "$1 is secret and comes from $from: give it in the environment"
        exit 78
    }
    printf %s "${!variable}"
}

# The password in a PostgreSQL URL.
password_in() {
    local user=${1#*://} encoded
    user=${user%%[/?]*}
    user=${user%%@*}
    encoded=${user#*:}
    encoded=${encoded//\\/\\\\}
    printf %b "${encoded//%/\\x}"
}

# Sets `connection`, the URL of the PostgreSQL database as everybody may read it in the list of processes, and PGPASSWORD.
connect() {
    local shown from
    shown=$(setting database.url)
    from=$(origin database.url)
    connection=${shown/:\*\*\*@/@}
    [[ $connection != *'=***'* ]] || {
        say "the parameters of database.url would be seen by everybody here: $connection; libpq reads them from variables too"
        exit 78
    }
    [[ $connection != "$shown" ]] || return 0
    case "$from" in
        *' in the environment and .env') PGPASSWORD=${POSTGRES_PASSWORD:-${PGPASSWORD:-}} ;;
        'POSTGRES_* in the environment') PGPASSWORD=$POSTGRES_PASSWORD ;;
        *' in the environment') PGPASSWORD=$(password_in "$(secret database.url)") ;;
    esac
    [[ -n ${PGPASSWORD:-}${PGPASSFILE:-} ]] || {
        say "the password of database.url comes from $from: give it in PGPASSWORD or a PGPASSFILE"
        exit 78
    }
    export PGPASSWORD
}
