"""What the claims are judged for: apart from the evidence, so that bad input is refused before anything heavy loads."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from transslit import SlitNetwork
from transslit.config import Config
from transslit.electrolyte import Electrolyte
from transslit.units import Concentration
from validation.config import ions_at

WIDTHS = (1.5e-9, 2e-9, 3e-9, 4e-9, 5e-9)  # m, the paper's
NARROW = 1e-9  # m, for what changes below 1.5 nm
MD_WIDTH = 0.59e-9  # m, of the atoms


class ClaimsConfig(Config):
    """Electrolyte and effort; geometry and drive stand for what the paper does not say.

    `quick` takes the defaults, with adaptive time steps, and varies three of the unknown parameters; `paper` the
    setting at which most claims hold (`validation.config.PAPER`), with 400 fixed steps, and varies six.
    """

    electrolyte: Electrolyte
    concentration: Concentration
    preset: Literal["quick", "paper"] = "quick"
    replicas: Annotated[int, Field(ge=1, le=64)] = 3  # of molecular dynamics, where there is no record yet
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @property
    def setting(self) -> str:
        """The setting in words, as verdicts quote it."""
        return f"{self.electrolyte.name} {self.concentration / 1000:g} M"

    def check(self) -> None:
        """Refuse ions that do not fit, singly or together.

        Raises
        ------
        BadInput : a slit narrower than an ion, or a concentration beyond close packing
        """
        salt = ions_at(self.preset, self.electrolyte)
        SlitNetwork(slit=MD_WIDTH).admits(salt)
        salt.bulk(self.concentration)


def nm(length: float) -> str:
    """A length in m as text in nm."""
    return f"{length * 1e9:g} nm"
