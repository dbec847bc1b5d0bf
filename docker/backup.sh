#!/bin/sh
# Saves what is not in the images: what is served, certificate, archives, keys and settings.
#
#   ./backup.sh save FILE       also while the service runs
#   ./backup.sh restore FILE    after `docker compose down`; replaces what is there
#
# Who reads the file has the certificate's key. RVAE_COMPOSE names the command of compose.

set -eu
umask 077

fail() {
    echo "backup.sh: $*" >&2
    exit 1
}

compose() {
    if [ -n "${RVAE_COMPOSE:-}" ]; then
        $RVAE_COMPOSE "$@"
    elif docker compose version >/dev/null 2>&1; then
        docker compose "$@"
    else
        docker-compose "$@"
    fi
}

# A script in a new container of a service, which has its volumes.
inside() {
    compose run --rm -T --no-deps --entrypoint sh "$1" -c "$2"
}

save() {
    inside server 'tar -C /state -cf - .' </dev/null >"$folder/state.tar"
    inside proxy 'tar -C /certificates -cf - .' </dev/null >"$folder/certificates.tar"
    tar -C "$store" -cf "$folder/store.tar" .
    cp "$keys" "$folder/keys"
    [ ! -f .env ] || cp .env "$folder/env"
    tar -C "$folder" -czf "$file.new" .
    mv "$file.new" "$file"
}

restore() {
    [ -z "$(compose ps --quiet)" ] || fail "there are containers: docker compose down first"
    tar -C "$folder" -xzf "$file"
    for part in state.tar certificates.tar store.tar keys; do
        [ -f "$folder/$part" ] || fail "$file: $part is missing, nothing is replaced"
    done
    # First what containers mount: on another machine it is not there yet.
    (
        umask 022 # containers read these
        mkdir -p "$store" "$(dirname "$keys")"
        tar -C "$store" --no-same-owner -xf "$folder/store.tar"
        cat "$folder/keys" >"$keys"
    )
    inside server 'rm -rf /state/* && tar -C /state -xf -' <"$folder/state.tar"
    inside proxy 'if [ -w /certificates ]; then
            rm -rf /certificates/* && tar -C /certificates -xf -
        else
            echo "backup.sh: RVAE_CERTIFICATES is a folder of yours, and stays as it is" >&2
        fi' <"$folder/certificates.tar"
}

case ${1:-}:$# in
    save:2 | restore:2) ;;
    *) fail "usage: backup.sh save FILE | restore FILE" ;;
esac
case $2 in
    /*) file=$2 ;;
    *) file=$PWD/$2 ;;
esac
cd "$(dirname "$0")"
. ./setting.sh
store=$(setting RVAE_STORE ../model_store)
keys=$(setting RVAE_KEYS ./secrets/keys)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1"
