"""The JSON Schema files that travel in ``assets/``, one a contract: ``python -m cuesense.schemas`` writes them all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from cuesense.atomic_files import write_file
from cuesense.schemas.audit import Audit
from cuesense.schemas.base import Document
from cuesense.schemas.comparison import Comparison
from cuesense.schemas.cost import CostEstimate
from cuesense.schemas.gate import GateResult
from cuesense.schemas.profile import Profile
from cuesense.schemas.readings import ReadingTable
from cuesense.schemas.verification import Verification

CONTRACTS: Mapping[str, type[Document]] = {
    "profile": Profile,
    "audit": Audit,
    "comparison": Comparison,
    "gate": GateResult,
    "verification": Verification,
    "readings": ReadingTable,
    "cost": CostEstimate,
}


def schema_files() -> dict[str, str]:
    """Return the text of every schema file by its name, for instance ``"profile.schema.json"``."""
    return {
        f"{name}.schema.json": json.dumps(contract.json_schema(), indent=1) + "\n"
        for name, contract in CONTRACTS.items()
    }


def write_schemas(folder: Path) -> None:
    """Write every schema file.

    Args:
        folder: Where to; created where missing.

    Raises:
        OutputError: The folder cannot be written.
    """
    for name, text in schema_files().items():
        write_file(folder / name, text)
