"""Configurations of a validation and of its claims, and the presets' values for parameters that the paper omits.

Bad input is refused here, before anything heavy loads.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from transslit.config import Config
from transslit.drive import ChargeStep, TriangularCV
from transslit.electrolyte import Electrolyte
from transslit.library import load_electrolyte
from transslit.network import SlitNetwork
from transslit.units import Concentration, Length

if TYPE_CHECKING:
    from continuum import ContinuumConfig
    from md import Cell, MDConfig

STAGES = ("md", "ions", "continuum", "discover", "circuit", "claims")
Preset = Literal["quick", "paper"]
Replicas = Annotated[int, Field(ge=1, le=64, description="boxes of molecular dynamics, each with a start of its own")]
Seed = Annotated[int, Field(ge=0, lt=2**31, description="random seed; the same seed gives the same numbers")]

# Values of the `paper` preset for slit length, ions and Stern layer, in m: of the settings that were judged in fine
# time steps, that of the longest slits with which most of the paper's claims hold (studies/missing_methods).
PAPER_NETWORK = {"slit_length": 16e-9}
PAPER = PAPER_NETWORK | {"ion_diameter": 0.59e-9, "stern_thickness": 0.23e-9}

# Plausible limits of each parameter that the paper's text leaves open: low, high, whether in equal ratios; SI.
BOX: dict[str, tuple[float, float, bool]] = {
    "slit_length": (5e-9, 40e-9, True),
    "edge_gap": (0.3e-9, 2e-9, True),
    "ion_diameter": (0.3e-9, 0.7e-9, False),
    "stern_thickness": (0.0, 0.5e-9, False),
    "stern_permittivity": (5.0, 78.4, True),
    "sheet_thickness": (0.1e-9, 1e-9, True),
}
WIDTHS = (1.5e-9, 2e-9, 3e-9, 4e-9, 5e-9)  # m, the paper's
NARROW = 1e-9  # m, below the paper's narrowest, where the steric flux changes
MD_WIDTH = 0.59e-9  # m, of the paper's molecular dynamics
SMALL = 0.1  # of the charge of the paper's step, whose field water can still answer linearly
SMALL_DURATION = 60e-12  # s, of atoms
STEP_DURATION = 2e-9  # s; the continuum fills with its Debye time of some 0.05 ns, longer than atoms are followed


def _replicas(known: dict[str, Any]) -> int:
    """Default of `replicas`, by the preset, a field before it."""
    return 8 if known.get("preset") == "paper" else 3


paper_salt = cache(partial(load_electrolyte, "KCl"))


def limits(name: str, diameter: float) -> tuple[float, float, bool]:
    """The limits of `BOX` for ions of `diameter` (m): no gap is narrower than an ion."""
    low, high, ratios = BOX[name]
    return (max(low, diameter), high, ratios) if name == "edge_gap" else (low, high, ratios)


def ions_of_preset(preset: str, salt: Electrolyte) -> Electrolyte:
    """The salt of the continuum: the paper's own with the preset's ions, any other unchanged."""
    if preset == "paper" and salt.name == "KCl" and salt == paper_salt():
        return salt.with_diameter(PAPER["ion_diameter"])
    return salt


def apply_preset(config: ContinuumConfig, preset: str) -> ContinuumConfig:
    """Apply the preset's values for parameters that the paper does not report.

    Raises
    ------
    BadInput : ions that do not fit, singly or together
    """
    if preset != "paper":
        return config
    changes = {
        "network": config.network.model_copy(update=PAPER_NETWORK),
        "electrolyte": ions_of_preset(preset, config.electrolyte),
        "stern_thickness": PAPER["stern_thickness"],
    }
    return config.read(**config.model_copy(update=changes).model_dump())


class ClaimsConfig(Config):
    """Electrolyte and effort of the claims; geometry and drive are the preset's.

    `quick` takes the defaults, with adaptive time steps, and varies three of the unknown parameters; `paper` the
    setting at which most claims hold (`PAPER`), with 400 fixed steps, and varies six.
    """

    electrolyte: Electrolyte = Field(description="ions and solvent")
    concentration: Concentration = Field(description="concentration of formula units, in mol/m^3")
    preset: Preset = Field(
        "quick",
        description="quick (the defaults, three unknown parameters varied) or paper (a setting at which most claims"
        " hold, six varied, finer steps)",
    )
    replicas: Replicas = 3  # run if there is no record of molecular dynamics
    seed: Seed = 0

    @property
    def setting(self) -> str:
        """The setting in words, as verdicts quote it."""
        return f"{self.electrolyte.name} {self.concentration / 1000:g} M"

    @property
    def slit(self) -> float:
        """Width in m of the narrowest slit."""
        return MD_WIDTH

    def check(self) -> None:
        """Refuse ions that do not fit, singly or together.

        Raises
        ------
        BadInput : a slit narrower than an ion, or a concentration beyond close packing
        """
        salt = ions_of_preset(self.preset, self.electrolyte)
        SlitNetwork(slit=self.slit).admits(salt)
        salt.bulk(self.concentration)


class ValidateConfig(Config):
    """Slit width, electrolyte and effort of a validation."""

    slit: Length = Field(description="free width between sheet surfaces, such as 0.59nm")
    electrolyte: Electrolyte = Field(description="ions and solvent")
    concentration: Concentration = Field(description="concentration of formula units, in mol/m^3")
    preset: Preset = Field(
        "quick",
        description="quick (minutes on two cores) or paper (long, wants a GPU; slit length, ions and Stern layer at"
        " which most of the paper's claims hold)",
    )
    replicas: Replicas = Field(
        default_factory=_replicas,
        description="boxes of molecular dynamics, each with its own start; default: 3, with the paper preset 8",
    )
    seed: Seed = 0

    @property
    def stages(self) -> tuple[str, ...]:
        """Stages that run by default: the claims take long, and belong to the `paper` preset."""
        without = ("claims",) * (self.preset != "paper") + ("ions",) * (not self.dissolved)
        return tuple(stage for stage in STAGES if stage not in without)

    @property
    def dissolved(self) -> bool:
        """Whether the salt has a solvent that can be implicit, and ions of one site."""
        salt = self.electrolyte
        return salt.solvent.model != "none" and all(len(ion.sites) == 1 for ion in salt.ions)

    @property
    def network(self) -> SlitNetwork:
        """The network of the continuum CV: the preset's, but for the slit."""
        return SlitNetwork(slit=self.slit).model_copy(update=PAPER_NETWORK if self.preset == "paper" else {})

    @property
    def claims(self) -> ClaimsConfig:
        """The configuration of the claims in the same run folder."""
        return ClaimsConfig(**{name: getattr(self, name) for name in ClaimsConfig.model_fields})

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
        salt = ions_of_preset(self.preset, self.electrolyte)
        self.network.admits(salt)
        salt.bulk(self.concentration)


def md_config(config: ValidateConfig, **changes: object) -> MDConfig:
    """Configuration of molecular dynamics; `changes` are other fields of `MDConfig`, SI numbers or text with units."""
    import md

    preset = {"quick": md.quick, "paper": md.paper}[config.preset]
    settings = {"seed": config.seed, "replicas": config.replicas, **changes}
    return preset(config.slit, config.electrolyte, config.concentration, **settings)  # type: ignore[arg-type]


def small_step(config: ValidateConfig, **changes: object) -> MDConfig:
    """A tenth of the paper's step on the same box, in pairs of opposite sign: the linear response.

    The box has the ions of the paper's step, whose reservoirs are emptier in the end. There is no heat to be carried
    off, and friction is as low as under a ramp.
    """
    import md

    whole = md.Cell(md_config(config))
    charge = SMALL * whole.config.charge_per_carbon
    taken = SMALL * (whole.initial_concentration - config.concentration)
    alike = config.model_copy(update={"concentration": whole.initial_concentration - taken})
    gentle = {"friction": 1.0, "post_step_friction": 1.0, "duration": SMALL_DURATION, "decorrelation": 1e-12}
    settings = {"charge_per_carbon": charge, "pairs": True} | (gentle if changes.get("water") != "implicit" else {})
    return md_config(alike, **{**settings, **changes})


def ions_step(config: ValidateConfig) -> MDConfig:
    """The small step among ions in implicit water; of the `quick` preset as long as two cores do in minutes."""
    quick = {"replicas": 8, "equilibration": 100e-12, "duration": 150e-12}
    return small_step(config, water="implicit", **(quick if config.preset == "quick" else {"replicas": 32}))


def matched_step(cell: Cell) -> ContinuumConfig:
    """The continuum run of the cell of molecular dynamics: its geometry, sheet charge and ion numbers.

    Beside implicit water the sheets have its permittivity.
    """
    from continuum import ContinuumConfig

    implicit = {"sheet_permittivity": cell.permittivity} if cell.config.water == "implicit" else {}
    return ContinuumConfig(
        network=cell.network,
        electrolyte=cell.config.electrolyte,
        concentration=cell.initial_concentration,
        drive=ChargeStep(sigma=cell.sheet_charge, duration=STEP_DURATION),
        record_growth=1.05,
        cell="full",
        **implicit,
    )


def cv_config(config: ValidateConfig) -> ContinuumConfig:
    """The continuum CV of the preset's network at the slit width asked for."""
    from continuum import ContinuumConfig

    cycle = ContinuumConfig(
        network=config.network,
        electrolyte=config.electrolyte,
        concentration=config.concentration,
        drive=TriangularCV(),
        steps=400,
        scheme="bdf2",  # the circuit is to meet the equations, not the error of their time steps
    )
    return apply_preset(cycle, config.preset)
