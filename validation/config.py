"""What `validate` is asked for; apart from the chain, so that bad input is refused before anything heavy loads."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from transslit.config import Config
from transslit.electrolyte import Electrolyte
from transslit.library import load_electrolyte
from transslit.network import SlitNetwork
from transslit.units import Concentration, Length

if TYPE_CHECKING:
    from continuum import ContinuumConfig

STAGES = ("md", "continuum", "discover", "circuit", "claims")

# What the `paper` preset takes for slit length, ions and Stern layer, in m: of the settings that were judged in fine
# time steps, that of the longest slits with which most of the paper's claims hold (docs/missing-methods.md).
PAPER_NETWORK = {"slit_length": 16e-9}
PAPER = PAPER_NETWORK | {"ion_diameter": 0.59e-9, "stern_thickness": 0.23e-9}

paper_salt = cache(partial(load_electrolyte, "KCl"))


def ions_at(preset: str, salt: Electrolyte) -> Electrolyte:
    """The salt as the continuum has it: the paper's own with the preset's ions, any other as it is."""
    if preset == "paper" and salt.name == "KCl" and salt == paper_salt():
        return salt.with_diameter(PAPER["ion_diameter"])
    return salt


def at_preset(config: ContinuumConfig, preset: str) -> ContinuumConfig:
    """`config` at what a preset takes for the paper's silence.

    Raises
    ------
    BadInput : ions that do not fit, singly or together
    """
    if preset != "paper":
        return config
    changes = {
        "network": config.network.model_copy(update=PAPER_NETWORK),
        "electrolyte": ions_at(preset, config.electrolyte),
        "stern_thickness": PAPER["stern_thickness"],
    }
    return config.read(**config.model_copy(update=changes).model_dump())


class ValidateConfig(Config):
    """What `validate` is asked for."""

    slit: Length
    electrolyte: Electrolyte
    concentration: Concentration
    preset: Literal["quick", "paper"] = "quick"
    replicas: Annotated[int, Field(ge=1, le=64)] = 3
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @property
    def stages(self) -> tuple[str, ...]:
        """What runs when nobody says: the paper's claims take their time, and belong to its preset."""
        return STAGES if self.preset == "paper" else STAGES[:-1]

    @property
    def network(self) -> SlitNetwork:
        """The network of the continuum CV: the preset's, but for the slit."""
        return SlitNetwork(slit=self.slit).model_copy(update=PAPER_NETWORK if self.preset == "paper" else {})

    @property
    def setting(self) -> str:
        """The setting in words, as verdicts quote it."""
        return f"{self.electrolyte.name} {self.concentration / 1000:g} M, d = {self.slit * 1e9:g} nm"

    def check(self) -> None:
        """Refuse ions that do not fit, singly or together.

        Raises
        ------
        BadInput : a slit narrower than an ion, or a concentration beyond close packing
        """
        salt = ions_at(self.preset, self.electrolyte)
        self.network.admits(salt)
        salt.bulk(self.concentration)
