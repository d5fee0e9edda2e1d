"""The shelf as a bill of materials in SPDX 2.3 JSON: packages, their files, who needs whom.

https://spdx.github.io/spdx-spec/v2.3/. A document must tell when it was made; so that equal
shelves give equal bytes, that is when the newest release on the shelf was published.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from modelshelf import __version__
from modelshelf.client.exports import Contents, Export, Held
from modelshelf.errors import IntegrityError, LockStale
from modelshelf.package.lock import LockedFile

Json = dict[str, object]
piece_bytes = 1 << 20
DOCUMENT, ROOT = "SPDXRef-DOCUMENT", "SPDXRef-shelf"


def write(contents: Contents) -> str:
    """The text of `bom.spdx.json`; reads the files on the shelf, as SPDX wants their SHA-1.

    Raises LockStale where one is gone, IntegrityError where one is not what the lock says.
    """
    name = f"shelf-{uuid.uuid5(uuid.NAMESPACE_OID, contents.digest)}"
    packages: list[Json] = [
        {
            "SPDXID": ROOT,
            "name": "shelf",
            "downloadLocation": "NOASSERTION",
            "filesAnalyzed": False,
        }
    ]
    files: list[Json] = []
    for held in contents.held:
        own = [_file(held, each) for each in held.files]
        packages.append(_package(held, own))
        files += own
    document = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": DOCUMENT,
        "name": "shelf",
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}",
        "creationInfo": {
            "created": _moment(contents),
            "creators": [f"Tool: modelshelf-{__version__}"],
        },
        "packages": packages,
        "files": files,
        "relationships": list(_relationships(contents)),
        "hasExtractedLicensingInfos": list(_own_licenses(contents)),
    }
    told = {key: value for key, value in document.items() if value != []}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _moment(contents: Contents) -> str:
    """Seconds in UTC, the only way in which SPDX 2.3 writes a time."""
    told = [datetime.fromisoformat(each.entry.published) for each in contents.held]
    newest = max((each.astimezone(UTC) for each in told), default=datetime.fromtimestamp(0, UTC))
    return newest.strftime("%Y-%m-%dT%H:%M:%SZ")


def _id(*parts: str) -> str:
    """Letters, digits, dots and dashes are all that an id may have.

    Names have no dot, versions never two in a row: two packages have two ids.
    """
    return "SPDXRef-" + "-".join(part.replace("/", ".").replace("+", "..") for part in parts)


def _package_id(held: Held) -> str:
    return _id("package", held.entry.name, held.entry.version)


def _file_id(held: Held, file: LockedFile) -> str:
    path = hashlib.sha256(file.path.encode()).hexdigest()[:16]
    return _id("file", held.entry.name, held.entry.version, path)


def _package(held: Held, files: list[Json]) -> Json:
    """The release, so far as it is installed; its checksum is that of the document of all of it."""
    entry = held.entry
    package = held.record.package if held.record else None
    told = {
        "SPDXID": _package_id(held),
        "name": entry.name,
        "versionInfo": entry.version,
        "supplier": f"Organization: {entry.name.partition('/')[0]}",
        "downloadLocation": held.page,
        "filesAnalyzed": True,
        "packageVerificationCode": {"packageVerificationCodeValue": _verification_code(files)},
        "checksums": [{"algorithm": "SHA256", "checksumValue": entry.manifest}],
        "homepage": package.homepage if package else None,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": entry.license or "NOASSERTION",
        "copyrightText": (package.copyright if package else None) or "NOASSERTION",
        "summary": package.summary if package else None,
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": held.purl,
            }
        ],
        "primaryPackagePurpose": "OTHER",
    }
    return {name: value for name, value in told.items() if value is not None}


def _verification_code(files: list[Json]) -> str:
    """SPDX 2.3, 7.9.4: SHA-1 over the SHA-1s of all files in their order, without separators."""
    sums = sorted(str(file["checksums"][0]["checksumValue"]) for file in files)  # type: ignore[index]
    return hashlib.sha1("".join(sums).encode(), usedforsecurity=False).hexdigest()


def _file(held: Held, file: LockedFile) -> Json:
    return {
        "SPDXID": _file_id(held, file),
        "fileName": f"./{file.path}",
        "checksums": [
            {"algorithm": "SHA1", "checksumValue": _sha1(held.folder / file.path, file)},
            {"algorithm": "SHA256", "checksumValue": file.sha256},
        ],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def _sha1(path: Path, file: LockedFile) -> str:
    """The SHA-1 of a file whose sha256 is the one that was promised."""
    sha1, sha256 = hashlib.sha1(usedforsecurity=False), hashlib.sha256()
    try:
        with path.open("rb") as source:
            while piece := source.read(piece_bytes):
                sha1.update(piece)
                sha256.update(piece)
    except OSError:
        raise LockStale(
            f"{file.path} is gone", where=str(path.parent), hint="run: shelf install"
        ) from None
    if sha256.hexdigest() != file.sha256:
        raise IntegrityError(
            f"{file.path} was changed",
            where=str(path),
            expected=file.sha256,
            got=sha256.hexdigest(),
            hint="delete it, then run: shelf install",
        )
    return sha1.hexdigest()


def _relationships(contents: Contents) -> Iterator[Json]:
    ids = {each.key: _package_id(each) for each in contents.held}
    yield _related(DOCUMENT, "DESCRIBES", ROOT)
    yield from (_related(ROOT, "DEPENDS_ON", ids[key]) for key in contents.roots)
    for held in contents.held:
        own = ids[held.key]
        yield from (_related(own, "DEPENDS_ON", ids[key]) for key in held.needs)
        yield from (_related(own, "DESCENDANT_OF", ids[key]) for key in held.bases)
        yield from (_related(own, "CONTAINS", _file_id(held, file)) for file in held.files)


def _related(one: str, how: str, two: str) -> Json:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": two}


def _own_licenses(contents: Contents) -> Iterator[Json]:
    """Licenses that SPDX does not list must be told of; their text is in the package."""
    said: dict[str, str] = {}
    for held in contents.held:
        for name in re.findall(r"LicenseRef-[A-Za-z0-9.-]+", held.entry.license or ""):
            said.setdefault(name, held.title)
    for name, title in sorted(said.items()):
        yield {"licenseId": name, "extractedText": f"See the files of {title}.", "name": name}


EXPORT = Export("spdx", "a bill of materials as SPDX 2.3", "bom.spdx.json", write)
