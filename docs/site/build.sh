#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds build/site from the guides in docs/ and the documentation of modules, roles and filters.
# A warning is an error, and so is a link that leads nowhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/docs/bin:$PATH" ANSIBLE_COLLECTIONS_PATH="$PWD/.venv/collections"
source=build/site-source
rm -rf "$source" build/site build/site-doctrees
mkdir -p "$source/collection"
cp -r docs/*.md docs/*.svg docs/site/index.md docs/site/static "$source"
# Guides link to files of the checkout, which are no pages; tests see to it that they are there.
sed -Ei "s#\]\(\.\./([^)]+)\)#](https://github.com/seatkeeper/licensing/tree/main/\1)#g" "$source"/*.md
antsibull-docs collection --use-current --squash-hierarchy --fail-on-error \
    --no-add-antsibull-docs-version --dest-dir "$source/collection" seatkeeper.licensing
# The theme shows the contents of a page by itself, and its menu has room for names only.
sed -i '/^\.\. contents::$/,/^$/d' "$source"/collection/*.rst
sed -Ei 's/^    (\w+)_(module|filter|role)$/    \1 \2 <\1_\2>/' "$source/collection/index.rst"
sphinx-build --quiet --nitpicky --fail-on-warning --jobs 2 -c docs/site \
    -d build/site-doctrees "$source" build/site
python tests/tools/check_site.py build/site
echo "docs: open build/site/index.html"
