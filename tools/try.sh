#!/usr/bin/env bash
# Usage: tools/try.sh [BACKEND]        BACKEND: jax (default), tensorflow or torch
#
# The whole path on the clips of examples/audio: installs the package for BACKEND into a virtual
# environment, pretrains a tiny AxLSTM for a few steps, and embeds every clip with it.
# VENV names the environment (default: .venv in this checkout; created if it does not exist).
# A second run writes the same results anew.
set -euo pipefail

backend=${1:-jax}
case $backend in
    jax | tensorflow | torch) ;;
    *)
        echo "try.sh: expected the backend jax, tensorflow or torch, received '$backend'" >&2
        exit 2
        ;;
esac

venv=${VENV:-$(dirname "$0")/../.venv}
"$(dirname "$0")/setup_env.sh" "$venv" "$backend"
venv=$(cd "$venv" && pwd)
cd "$(dirname "$0")/.."

export KERAS_BACKEND=$backend
results=build/try/$backend
mkdir -p "$results"
"$venv/bin/keras-axlstm" pretrain examples/audio --output "$results/preset" --steps 20 --batch-size 8 --overwrite
"$venv/bin/keras-axlstm" embed examples/audio --preset "$results/preset" \
    --output "$results/embeddings.npz" --overwrite
echo "Pretrained preset: $PWD/$results/preset"
echo "Embeddings: $PWD/$results/embeddings.npz"
