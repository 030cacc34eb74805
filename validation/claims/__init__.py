"""The paper's claims, judged on data that the software computed itself.

`judge.judge_claims(run, config, ids)` judges, leaves `claims.json` and `evidence/` in the run folder and returns
verdicts; `judge.read_claims(folder)` reads them back. `CLAIMS` is the registry: a new claim is one function
(`registry.claim`) in one of the modules below.
"""

from validation.claims import atoms, circuits, fields, law, network, network_circuit, resistance  # noqa: F401 - registers them
from validation.claims.registry import CLAIMS

__all__ = ["CLAIMS"]
