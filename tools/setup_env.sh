#!/usr/bin/env bash
# Usage: tools/setup_env.sh VENV EXTRAS [CONSTRAINTS]
# For example: tools/setup_env.sh .venv all,test
#
# Makes VENV a virtual environment that has this checkout installed (editable) with EXTRAS, at the
# versions of CONSTRAINTS (default: tools/constraints.txt). Creates it where there is none; does nothing where it is up to
# date already. PYTHON names the interpreter to create it with (default: python3).
set -euo pipefail

fail() {
    echo "setup_env.sh: $*" >&2
    exit 2
}

[ $# -eq 2 ] || [ $# -eq 3 ] || fail "expected VENV, EXTRAS and possibly CONSTRAINTS, received $# arguments"
mkdir -p "$(dirname "$1")"
venv=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
extras=$2
constraints=${3:-tools/constraints.txt}
cd "$(dirname "$0")/.."

python=${PYTHON:-python3}
if [ ! -e "$venv" ]; then
    command -v "$python" >/dev/null || fail "no '$python' found: install Python 3.11 or newer, or name one with PYTHON=..."
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "expected Python 3.11 or newer, '$python' is $("$python" --version 2>&1): name another one with PYTHON=..."
    echo "Creating the virtual environment $venv"
    "$python" -m venv "$venv"
fi
[ -x "$venv/bin/python" ] || fail "expected a virtual environment or nothing at '$venv', found something else: name another folder"

# One line per completed install, so that a change of the requirements, another set of extras and an
# install that was interrupted all install again, and nothing else does.
done_list=$venv/keras-axlstm-installs
this_install="$extras $(cat pyproject.toml "$constraints" | cksum) $PWD"
if grep -qxF "$this_install" "$done_list" 2>/dev/null; then
    exit 0
fi
echo "Installing keras-axlstm[$extras] into $venv (several minutes the first time)"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$constraints" --editable ".[$extras]"
echo "$this_install" >>"$done_list"
