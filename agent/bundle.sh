#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# bundle.sh wheels CHECKOUT FOLDER: have the packages that the agent needs in FOLDER
# bundle.sh bundle CHECKOUT WHEELS FOLDER: make of them what the role `seatkeeper_agent` installs, in FOLDER:
#   seatkeeper-agent-VERSION.txt   every package with its version and hashes, for pip
#   seatkeeper-agent-VERSION.tar   the same with the packages themselves, for hosts without a registry
#   seatkeeper-agent-VERSION.cdx.json   what is in it, as CycloneDX, see sbom.py
# The same checkout gives the same files. Runs with the Python in $PYTHON, which has the
# packages of requirements/dev.lock;
# $BUNDLE_PYTHONS and $BUNDLE_MACHINE choose for which hosts.
set -euo pipefail
checkout="$(realpath "$2")"
here="$(realpath "$(dirname "$0")")"
read -ra pythons <<<"${BUNDLE_PYTHONS:-3.11 3.12 3.13}"
machine="${BUNDLE_MACHINE:-x86_64}"
pip=("${PYTHON:-python3}" -m pip --disable-pip-version-check --no-input --quiet)

download() { # FOLDER OPTION... ; what differs between Pythons comes once for each
    local folder="$1" name python platforms=()
    shift
    # manylinux names glibc's version, oldest first.
    for name in manylinux2014 manylinux_2_17 manylinux_2_28 manylinux_2_34; do
        platforms+=(--platform "${name}_$machine")
    done
    for python in "${pythons[@]}"; do
        "${pip[@]}" download --no-deps --require-hashes --only-binary :all: \
            --implementation cp --python-version "$python" "${platforms[@]}" "$@" \
            --requirement "$checkout/requirements/agent.lock" --dest "$folder"
    done
}

case "$1" in
wheels)
    mkdir -p "$3"
    download "$3"
    exit
    ;;
bundle) ;;
*)
    echo "bundle.sh: say wheels or bundle" >&2
    exit 1
    ;;
esac

mkdir -p "$4"
output="$(realpath "$4")"
work="$(mktemp --directory "$output/bundle.XXXXXX")"
trap 'rm -rf "$work"' EXIT
wheels="$work/bundle/wheels"
mkdir -p "$wheels"

"${pip[@]}" wheel --no-deps --no-build-isolation --wheel-dir "$wheels" "$checkout/agent"
wheel="$(basename "$wheels"/seatkeeper_agent-*.whl)"
version="${wheel#seatkeeper_agent-}"
version="${version%%-*}"

requirements="$work/bundle/requirements.txt"
{
    cat "$checkout/requirements/agent.lock"
    echo "seatkeeper-agent==$version \\"
    echo "    --hash=sha256:$(sha256sum "$wheels/$wheel" | cut --delimiter=' ' --fields=1)"
} >"$requirements"
download "$wheels" --no-index --find-links "$3"

tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --directory "$work" --file "$work/bundle.tar" bundle
"${PYTHON:-python3}" "$here/sbom.py" "$work/bundle" "${pythons[@]}" >"$work/sbom"
mv "$work/sbom" "$output/seatkeeper-agent-$version.cdx.json"
mv "$work/bundle.tar" "$output/seatkeeper-agent-$version.tar"
mv "$requirements" "$output/seatkeeper-agent-$version.txt"
