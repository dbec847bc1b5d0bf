#!/usr/bin/env bash
# Package a checkpoint for TorchServe:
#
#   ./archive.sh CHECKPOINT [--name rvae] [--version 1.0] [--store model_store]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
rvae="$here/.venv/bin/rvae"
[ -x "$rvae" ] || rvae=$(command -v rvae) || {
    echo "archive.sh: rvae is not installed: run 'make install', or 'pip install .[train,serve]'" >&2
    exit 1
}
exec "$rvae" archive "$@"
