"""Run in the environment `sbom`: what the formats' own libraries say against the two bills in a folder.

Prints a JSON list of complaints.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def cyclonedx(path: Path) -> list[str]:
    """The official JSON schema, then the library's own rules and the spelling of the purls."""
    text = path.read_text(encoding="utf-8")
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    found = [str(error)] if error else []
    Bom.from_json(json.loads(text)).validate()
    purls = [each["purl"] for each in json.loads(text)["components"]]
    return found + [each for each in purls if PackageURL.from_string(each).to_string() != each]


def spdx(path: Path) -> list[str]:
    """What SPDX's reference library finds after reading."""
    document = parse_file(str(path))
    return [each.validation_message for each in validate_full_spdx_document(document)]


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    json.dump(cyclonedx(folder / "bom.cdx.json") + spdx(folder / "bom.spdx.json"), sys.stdout)
