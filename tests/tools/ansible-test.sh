#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs ansible-test of one ansible-core on the installed artifact: what users get is what is checked.
# Usage: ansible-test.sh sanity|units VERSION, with the environment .venv/ansible-VERSION.
# Units are run with the oldest Python of managed hosts too, where .venv/hosts-python is there.
set -euo pipefail
cd "$(dirname "$0")/../.."
root="$PWD" kind="$1" version="$2"
bin="$root/.venv/ansible-$version/bin"
[[ -d "$bin" ]] || { echo "no Python for ansible-core $version here"; exit 77; }

# ansible-test wants the path of a collection and a git repository.
work="$root/.cache/lint/$kind-$version"
rm -rf "$work"
mkdir -p "$work"
cp -r .cache/lint/installed/ansible_collections "$work/"
collection="$work/ansible_collections/seatkeeper/licensing"
if [[ "$kind" == units ]]; then
    mkdir -p "$collection/tests"
    cp -r tests/unit "$collection/tests/"
fi
cd "$collection"
git init --quiet
printf 'tests/output/\n__pycache__/\n' >.git/info/exclude
git add --all

# A home of its own keeps ansible-test's environments between runs without touching the user's;
# only pip's settings are taken along, for places that install through a mirror.
home="$root/.cache/ansible-test/$version"
mkdir -p "$home/.ansible/test/cache" "$home/.config"
[[ ! -d "$HOME/.config/pip" ]] || ln -sfn "$HOME/.config/pip" "$home/.config/pip"
for pip_version in 24_2 25_2; do # what ansible-core 2.19 and 2.20 look for
    cp "$root/tests/tools/get_pip.py" "$home/.ansible/test/cache/get_pip_$pip_version.py"
done

export HOME="$home" PATH="$bin:$PATH"
python="$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
if [[ "$kind" == sanity ]]; then
    exec ansible-test sanity --color no --python "$python" --requirements
fi
targets=(--target-python "$python@$bin/python")
hosts="$root/.venv/hosts-python/bin/python"
[[ ! -x "$hosts" ]] || targets+=(--target-python "3.9@$hosts")
exec ansible-test units --color no --num-workers 1 --controller "origin:python=$python@$bin/python" \
    "${targets[@]}"
