"""The paper's claims, judged on data that the software computed itself.

`judge_claims(run, config, ids)` judges, leaves `claims.json` and `evidence/` in the run folder and returns verdicts;
`read_claims(folder)` reads them back. `CLAIMS` is the registry: a new claim is one function (`registry.claim`).
"""

from validation.claims import atoms, circuits, fields, law, network, network_circuit, resistance  # noqa: F401 - registers them
from validation.claims.config import ClaimsConfig
from validation.claims.registry import CLAIMS, Claim, ClaimVerdict, Finding, Need, claim

__all__ = ["CLAIMS", "Claim", "ClaimVerdict", "ClaimsConfig", "Finding", "Need", "claim"]
