#!/bin/sh
# Adds, revokes and lists the API keys of the proxy.
#
#   ./keys.sh add NAME      makes a key and prints it: it is written down nowhere
#   ./keys.sh revoke NAME
#   ./keys.sh list
#
# The proxy takes a change within 30 seconds, and at once after `docker compose exec proxy reload`.
# RVAE_KEYS, in the environment or in .env, names another file than secrets/keys.

set -eu
cd "$(dirname "$0")"
. ./setting.sh

file=$(setting RVAE_KEYS ./secrets/keys)

fail() {
    echo "keys.sh: $*" >&2
    exit 1
}

check_name() {
    case $1 in
        '' | *[!A-Za-z0-9._-]*) fail "$1: a name consists of letters, digits and ._-" ;;
    esac
    [ ${#1} -le 64 ] || fail "$1: a name has at most 64 characters"
}

has() {
    awk -v name="$1" '$1 == name { found = 1 } END { exit !found }' "$file"
}

add() {
    check_name "$1"
    if has "$1"; then
        fail "$1: there is such a key; revoke it, or choose another name"
    fi
    key=rvae_$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
    hash=$(printf %s "$key" | sha256sum | cut -c 1-64)
    # The last line may lack its end, if somebody has edited the file.
    [ -z "$(tail -c 1 "$file")" ] || echo >>"$file"
    printf '%s %s # %s\n' "$1" "$hash" "$(date +%F)" >>"$file"
    echo "$key"
}

revoke() {
    has "$1" || fail "$1: there is no such key"
    awk -v name="$1" '$1 != name' "$file" >"$file.new"
    # Into the file that is there: a container has mounted this one, not one of its name.
    cat "$file.new" >"$file"
    rm "$file.new"
}

list() {
    awk '!/^[[:space:]]*(#|$)/ { print $1, $4 }' "$file"
}

case ${1:-}:$# in
    add:2 | revoke:2 | list:1) ;;
    *) fail "usage: keys.sh add NAME | revoke NAME | list" ;;
esac

[ -d "$(dirname "$file")" ] || fail "$file: there is no such folder"
[ "$1" = list ] || (umask 022 && : >>"$file") || fail "$file: cannot be written"
[ -r "$file" ] || fail "$file: there are no keys"
exec 9<"$file"
flock 9
"$@"
