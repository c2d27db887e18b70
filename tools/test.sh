#!/usr/bin/env bash
# Usage: tools/test.sh [BACKEND...]        default: jax tensorflow torch
#
# Installs what the tests need into a virtual environment and passes the suite on each backend.
# VENV names the environment (default: .venv in this checkout; created if it does not exist).
set -euo pipefail

for backend in "$@"; do
    case $backend in
        jax | tensorflow | torch) ;;
        *)
            echo "test.sh: expected the backends jax, tensorflow or torch, received '$backend'" >&2
            exit 2
            ;;
    esac
done
[ $# -gt 0 ] || set -- jax tensorflow torch

venv=${VENV:-$(dirname "$0")/../.venv}
"$(dirname "$0")/setup_env.sh" "$venv" all,test
venv=$(cd "$venv" && pwd)
cd "$(dirname "$0")/.."

# Two workers of one thread each finish before one worker of two threads: most tests are many small
# operations.
export OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
for backend in "$@"; do
    echo "== Tests with KERAS_BACKEND=$backend"
    KERAS_BACKEND=$backend "$venv/bin/python" -m pytest --numprocesses 2
done
