#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs ansible-test of one ansible-core on the installed artifact: what users get is what is checked.
# Usage: ansible-test.sh sanity|units VERSION [everything], with the environment .venv/ansible-VERSION.
# With "everything", which is for the newest, it runs what no other ansible-core would answer otherwise
# too: sanity tests that look at the text alone, and units with the oldest Python of managed hosts.
set -euo pipefail
cd "$(dirname "$0")/../.."
root="$PWD" kind="$1" version="$2" scope="${3:-}"
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
# The pip that ansible-test wants for its environments, which get_pip.py unpacks there.
pip_version="$(sed -n "s/^ *pip='\(.*\)',$/\1/p" \
    "$bin"/../lib/python3*/site-packages/ansible_test/_internal/python_requirements.py)"
"$root/.venv/bin/python" -m pip --disable-pip-version-check -qq --no-input download --no-deps \
    --dest "$home/.ansible/test/cache" "pip==$pip_version"
cp "$root/tests/tools/get_pip.py" "$home/.ansible/test/cache/get_pip_${pip_version//./_}.py"

export HOME="$home" PATH="$bin:$PATH"
python="$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"

# What each ansible-core answers in its own way: it reads, loads or documents the content itself.
each_core=(action-plugin-docs ansible-doc compile ignores import runtime-metadata validate-modules)
# What looks at the text alone, by rules that only grow.
text=(changelog empty-init line-endings no-assert no-get-exception no-illegal-filenames no-smart-quotes
    pep8 pslint pylint replace-urlopen shebang shellcheck symlinks use-argspec-type-path use-compat-six
    yamllint)

if [[ "$kind" == sanity ]]; then
    unplaced="$(comm -3 <(ansible-test sanity --list-tests 2>/dev/null | sort) \
        <(printf '%s\n' "${each_core[@]}" "${text[@]}" | sort))"
    [[ -z "$unplaced" ]] || { echo "not in one of the two lists, or no sanity test: $unplaced"; exit 1; }
    chosen=("${each_core[@]}")
    [[ "$scope" != everything ]] || chosen+=("${text[@]}")
    exec ansible-test sanity --color no --python "$python" --requirements "${chosen[@]/#/--test=}"
fi
targets=(--target-python "$python@$bin/python")
hosts="$root/.venv/hosts-python/bin/python"
[[ "$scope" != everything || ! -x "$hosts" ]] || targets+=(--target-python "3.9@$hosts")
exec ansible-test units --color no --num-workers 1 --controller "origin:python=$python@$bin/python" \
    "${targets[@]}"
