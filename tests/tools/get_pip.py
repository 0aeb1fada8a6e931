# SPDX-License-Identifier: GPL-3.0-or-later
"""Put pip into the running environment, starting from the one that comes with Python.

`ansible-test` looks for a script of this kind in its cache before it fetches one. It passes the
options of `get-pip.py` and the version of pip that it wants.
"""

from __future__ import annotations

import subprocess
import sys


def main() -> None:
    """Install the bundled pip, then the packages that were named, from the usual index."""
    # A process of its own: ensurepip switches pip's settings off in the one it runs in.
    bundled = [sys.executable, "-m", "ensurepip", "--upgrade", "--default-pip"]
    subprocess.run(bundled, check=True, stdout=subprocess.DEVNULL)
    packages = [word for word in sys.argv[1:] if not word.startswith("-")]
    if packages:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", *packages], check=True)


if __name__ == "__main__":
    main()
