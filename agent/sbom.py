# SPDX-License-Identifier: GPL-3.0-or-later
"""sbom.py BUNDLE PYTHON...: print what is in a bundle of the agent, as CycloneDX (JSON).

BUNDLE is the folder with ``requirements.txt`` and ``wheels``; PYTHONs are the versions that it is
made for. Each package stands there as the lock has it, with every file of it that is in the bundle
and its hash; a file that the lock does not have is an error. The same bundle gives the same text:
it has no time and no random number in it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import zipfile
from dataclasses import dataclass, field
from email.message import Message
from email.parser import Parser
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    XsUri,
)
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

AGENT = "seatkeeper-agent"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class SbomError(Exception):
    """The bundle is not what its lock says."""


@dataclass
class Package:
    """One package of the bundle, with its files."""

    name: str
    version: str
    about: Message
    files: dict[str, str] = field(default_factory=dict)
    """The hash of each, by its name."""

    def needs(self, pythons: list[str]) -> set[str]:
        """The packages that it asks for with one of these Pythons, on Linux, without extras."""
        found: set[str] = set()
        for text in self.about.get_all("Requires-Dist", []):
            requested = Requirement(text)
            marker = requested.marker
            if marker is None or any(marker.evaluate(_host(python)) for python in pythons):
                found.add(canonicalize_name(requested.name))
        return found


def _host(python: str) -> dict[str, str]:
    versions = {"python_version": python, "python_full_version": f"{python}.0"}
    system = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return {**versions, **system, "implementation_name": "cpython", "extra": ""}


def locked(requirements: str) -> dict[tuple[str, str], set[str]]:
    """The hashes that a lock allows, by name and version."""
    allowed: dict[tuple[str, str], set[str]] = {}
    hashes: set[str] = set()
    for line in requirements.splitlines():
        pin = _PIN.match(line)
        if pin:
            hashes = allowed.setdefault((canonicalize_name(pin[1]), pin[2]), set())
        hashes.update(_HASH.findall(line))
    return allowed


def packages(bundle: Path) -> dict[str, Package]:
    """All packages by name; SbomError where one is not in the lock or not with this content."""
    allowed = locked((bundle / "requirements.txt").read_text(encoding="utf-8"))
    found: dict[str, Package] = {}
    for wheel in sorted((bundle / "wheels").iterdir()):
        name, version, _build, _tags = parse_wheel_filename(wheel.name)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest not in allowed.get((name, str(version)), ()):
            raise SbomError(f"{wheel.name} is not in the lock with the content that it has.")
        package = found.setdefault(name, Package(name, str(version), _about(wheel)))
        package.files[wheel.name] = digest
    return found


def _about(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (inside,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(inside).decode(), headersonly=True)


def component(package: Package) -> Component:
    """The package as CycloneDX has it; a license only where the package states it for programs."""
    itself = package.name == AGENT
    expression = package.about["License-Expression"]
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.APPLICATION if itself else ComponentType.LIBRARY,
        # The agent is on no registry.
        purl=PackageURL("generic" if itself else "pypi", None, package.name, package.version),
        bom_ref=f"{package.name}@{package.version}",
        licenses=[LicenseFactory().make_from_string(expression)] if expression else [],
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(f"bundle/wheels/{name}"),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)],
            )
            for name, digest in package.files.items()
        ],
    )


def sbom(found: dict[str, Package], pythons: list[str]) -> str:
    """The whole text, with what needs what."""
    made = {name: component(package) for name, package in found.items()}
    agent = made.pop(AGENT)
    files = sorted(digest for package in found.values() for digest in package.files.values())
    bom = Bom(
        components=made.values(),
        metadata=BomMetaData(component=agent),
        serial_number=uuid5(NAMESPACE_URL, f"urn:seatkeeper:sbom:{','.join(files)}"),
    )
    for name, package in found.items():
        needs = [made[needed] for needed in sorted(package.needs(pythons)) if needed in made]
        bom.register_dependency(made.get(name, agent), needs)
    reported = json.loads(JsonV1Dot6(bom).output_as_string())
    # It is not for the time of the build to make another file of it.
    del reported["metadata"]["timestamp"]
    return f"{json.dumps(reported, indent=2, sort_keys=True)}\n"


def main() -> int:
    """Print it; 1 with a sentence where there is none."""
    bundle, *pythons = sys.argv[1:]
    try:
        sys.stdout.write(sbom(packages(Path(bundle)), pythons))
    except (SbomError, OSError) as error:
        print(f"sbom: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
