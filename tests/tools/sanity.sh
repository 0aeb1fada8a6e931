#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs ansible-test sanity on the installed artifact: what users get is what is checked.
# ansible-test wants the path of a collection and a git repository.
set -euo pipefail
cd "$(dirname "$0")/../.."
root="$PWD"
rm -rf .cache/lint/sanity
mkdir -p .cache/lint/sanity
cp -r .cache/lint/installed/ansible_collections .cache/lint/sanity/
cd .cache/lint/sanity/ansible_collections/seatkeeper/licensing
git init --quiet
printf 'tests/output/\n' >.git/info/exclude
git add --all

# A home of its own keeps ansible-test's environments between runs without touching the user's;
# only pip's settings are taken along, for places that install through a mirror.
home="$root/.cache/ansible-test-home"
mkdir -p "$home/.ansible/test/cache" "$home/.config"
[[ ! -d "$HOME/.config/pip" ]] || ln -sfn "$HOME/.config/pip" "$home/.config/pip"
for pip_version in 24_2 25_2; do # what ansible-core 2.19 and 2.21 look for
    cp "$root/tests/tools/get_pip.py" "$home/.ansible/test/cache/get_pip_$pip_version.py"
done
python="$("$root/.venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
HOME="$home" PATH="$root/.venv/bin:$PATH" \
    ansible-test sanity --python "$python" --color no --requirements "$@"
