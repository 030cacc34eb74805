"""What claims ask for: runs, laws and circuits of a run folder, and numbers with their uncertainty.

A measure is evaluated as set by the preset and again on each companion of the runs that it rests on:

    u_numerical  coarser mesh (cells 1.5 times as long) and longer time steps (twice), each as the grid convergence
                 index 1.25 |f - f_coarse| / (ratio - 1) of order 1, in quadrature (P. J. Roache, J. Fluids Eng. 116,
                 405 (1994)); no higher order is claimed where a slit has a dozen cells
    u_input      parameters that the paper leaves open, one at a time, half and twice the preset's (`_inputs`): its
                 changes down and up, each in quadrature over the parameters

as ASME V&V 20 asks (docs/verdicts.md). Runs lie in OUT/evidence/runs, named by what they are and by their digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np

from continuum import ContinuumConfig, Run
from continuum.measures import Runs
from discovery import DiscoveryConfig, table_from_records
from transslit import BadInput, Law, SlitNetwork, TransSlitRecord, TriangularCV
from transslit.config import digest
from transslit.progress import Progress
from transslit.runs import RunFolder, read_manifest, run_of, stage_digest
from validation.presets import NARROW, ClaimsConfig, apply_preset, limits
from validation.simulations.atoms import find, fits, found_or_run
from validation.simulations.runs import Simulations
from validation.verdicts.verdict import Measured
from validation.verdicts.words import nm

RUNS = "evidence/runs"
AS_SET = "as set"  # what the preset has
STEP = 0.03  # extrapolation error of an adaptive step, in bulk concentrations
ROUND_OFF = 1e-12
COARSE, LONG = 1.5, 2.0  # ratios of cells and of time steps
COST = {"quick": 4.0, "paper": 15.0}  # s of one CV, about, as ATOMS; for the time left alone
ATOMS = 600.0


@dataclass(frozen=True)
class Input:
    """A parameter that the paper's text leaves open, the field that holds it, and the range over which it is varied."""

    label: str
    name: str
    ends: tuple[float, float]  # m

    def change(self, config: ContinuumConfig, value: float) -> ContinuumConfig:
        """The configuration with another value (m) of this parameter."""
        if self.name == "diameter":
            return config.model_copy(update={"electrolyte": config.electrolyte.with_diameter(value)})
        if self.name == "stern_thickness":
            return config.model_copy(update={"stern_thickness": value})
        return config.model_copy(update={"network": config.network.model_copy(update={self.name: value})})


def _inputs(base: ContinuumConfig) -> tuple[Input, ...]:
    """Half and twice what `base` has, as far as that is plausible (`presets.BOX`).

    Ions: from the mean crystal diameter of K and Cl (R. D. Shannon, Acta Cryst. A 32, 751 (1976)) to the hydrated one
    (E. R. Nightingale, J. Phys. Chem. 63, 1381 (1959)).
    """
    network, widest = base.network, max(ion.diameter.value for ion in base.electrolyte.ions)

    def around(label: str, name: str, value: float) -> Input:
        low, high, _ = limits(name, widest)
        return Input(label, name, (max(low, value / 2), min(high, 2 * value)))

    return (
        around("slit length", "slit_length", network.slit_length),
        around("edge gap", "edge_gap", network.edge_gap),
        Input("ion diameter", "diameter", (0.32e-9, 0.66e-9)),
        around("Stern layer", "stern_thickness", base.stern_thickness),
        around("sheet thickness", "sheet_thickness", network.sheet_thickness),
        Input("reservoir", "reservoir_length", (network.reservoir_length / 2, 2 * network.reservoir_length)),
    )


QUICK_INPUTS = 3


Measure = Callable[[Runs], Mapping[str, float]]
Task = tuple[float, str, Callable[[], object]]


@dataclass(frozen=True)
class Need:
    """What a claim will ask for: `kind` is cv or atoms, `widths` the slit widths in m that it concerns.

    Known beforehand, so that progress can say how much is left. `inputs` says that the parameters which the paper
    leaves open are varied too; `drive` changes the default cyclic voltammetry.
    """

    kind: Literal["cv", "atoms"]
    widths: tuple[float, ...] = ()
    inputs: bool = False
    drive: tuple[tuple[str, float], ...] = ()


class Evidence(Simulations):
    """Simulations of one `ClaimsConfig` in an open run folder, and their variations."""

    def __init__(self, config: ClaimsConfig, run: RunFolder, progress: Progress, records: Sequence[Path] = ()) -> None:
        super().__init__(run, progress)
        self.config = config
        self.given_md: Path | None = None
        self.given: dict[str, Path] = {}  # continuum runs among `records`, by configuration
        self.unused = list(dict.fromkeys(map(run_of, records)))
        for folder in self.unused:
            made = read_manifest(folder, "record")
            RunFolder(folder).verify(made, "record")
            if fits(TransSlitRecord.read(folder).metadata, config):
                self.given_md = self.given_md or folder
            elif "config" in made:
                self.given[_key(made["config"])] = folder
        self._runs: dict[str, Run] = {}
        chosen = _inputs(self.cv_config(NARROW))[: QUICK_INPUTS if config.preset == "quick" else None]
        self.inputs = tuple(known for known in chosen if self._possible(known))
        for known in set(chosen) - set(self.inputs):
            progress.say(f"Claims: {known.label} is not varied: the largest does not fit {config.electrolyte.name}.")

    # What there is to run

    def gather(self, needs: Iterable[Need]) -> None:
        """Run what `needs` name and is not there yet, with one bar for all of it."""
        left = self.left(needs)
        for folder in self.unused:
            self.progress.say(f"Claims: {folder} is not used: no claim needs a run of its configuration.")
        total = sum(cost for cost, _, _ in left)
        if not left:
            return
        with self.progress.task("Evidence for the claims", total) as advance:
            done = 0.0
            for number, (cost, label, run) in enumerate(left, start=1):
                advance(done, f"{number} of {len(left)}: {label}")
                run()
                done += cost
            advance(total, f"{len(left)} done")

    def left(self, needs: Iterable[Need]) -> list[Task]:
        """What `needs` name and is not there yet: cost in s, label, and what does it."""
        return list(dict(self._tasks(needs)).values())

    def _tasks(self, needs: Iterable[Need]) -> Iterator[tuple[str, Task]]:
        """What is to be done, by its key."""
        for need in needs:
            if need.kind == "atoms":
                self._use(self.given_md)
                if not find(self.folder.path, self.config, self.given_md):
                    yield "atoms", (ATOMS, "molecular dynamics", self.atoms)
                continue
            for variation, d in product(self.variations(need.inputs), need.widths):
                config = self.cv_config(d, variation, **dict(need.drive))
                if not self._finished(config):
                    run = partial(self._run, config)
                    yield config.digest, (COST[self.config.preset], f"{nm(d)}, {variation}", run)

    def variations(self, inputs: bool) -> list[str]:
        """Labels of what the preset has, of the numerical companions and, if asked, of the input variations."""
        return [AS_SET, "coarser mesh", "longer steps", *(self._varied if inputs else ())]

    @property
    def _varied(self) -> dict[str, tuple[Input, float]]:
        """Both ends of every input, by the label of the variation."""
        return {f"{known.label} {nm(value)}": (known, value) for known in self.inputs for value in known.ends}

    def cv_config(self, d: float, variation: str = AS_SET, **drive: Any) -> ContinuumConfig:
        """The continuum CV of a slit width in m; `drive` changes the cyclic voltammetry."""
        quick = self.config.preset == "quick"
        config = ContinuumConfig(
            network=SlitNetwork(slit=d),
            electrolyte=self.config.electrolyte,
            concentration=self.config.concentration,
            drive=TriangularCV(**drive),
            stepping="adaptive" if quick else "fixed",
            scheme="bdf2",
            step_tolerance=STEP if quick else None,
            steps=400,
        )
        config = apply_preset(config, self.config.preset)
        if variation == AS_SET:
            return config
        if not quick:
            config = config.model_copy(update={"store_every": 10})
        if variation == "coarser mesh":
            return config.model_copy(update={"refinement": 1 / COARSE})
        if variation == "longer steps":  # the error that steps may make goes with the square of their length
            return config.model_copy(update={"step_tolerance": LONG**2 * STEP} if quick else {"steps": int(400 / LONG)})
        known, value = self._varied[variation]
        return known.change(config, value)

    def _possible(self, known: Input) -> bool:
        """Whether the ions still fit at both ends of an input: in a liquid of nothing else larger ones do not."""
        try:
            for value in known.ends:
                known.change(self.cv_config(NARROW), value).electrolyte.bulk(self.config.concentration)
        except BadInput:
            return False
        return True

    # What claims ask for

    def cv(self, d: float, variation: str = AS_SET, **drive: Any) -> Run:
        """The finished CV of a slit width in m."""
        return self._run(self.cv_config(d, variation, **drive))

    def measure(
        self, function: Measure, widths: Sequence[float], inputs: bool = True, **drive: Any
    ) -> dict[str, Measured]:
        """`function` of the runs at `widths`, number by number, with its uncertainties."""
        values = {label: function({d: self.cv(d, label, **drive) for d in widths}) for label in self.variations(inputs)}
        return {
            name: self._measured({label: result[name] for label, result in values.items()}, inputs)
            for name in values[AS_SET]
        }

    def at(
        self, function: Callable[[Run], Mapping[str, float]], d: float, inputs: bool = True, **drive: Any
    ) -> dict[str, Measured]:
        """As `measure`, of the run at one width."""
        return self.measure(lambda runs: function(runs[d]), (d,), inputs, **drive)

    def _measured(self, values: Mapping[str, float], inputs: bool) -> Measured:
        base = values[AS_SET]
        mesh = 1.25 * abs(values["coarser mesh"] - base) / (COARSE - 1)
        steps = 1.25 * abs(values["longer steps"] - base) / (LONG - 1)
        u = float(np.hypot(mesh, steps))
        numerical = u if u > ROUND_OFF * abs(base) else 0.0
        if not inputs:
            return Measured(base, numerical, None, values)
        changes = np.array([values[label] - base for label in self._varied]).reshape(-1, 2)
        changes[np.abs(changes) <= ROUND_OFF * abs(base)] = 0.0
        return Measured(base, numerical, quadrature(changes), values)

    def runs(self, widths: Iterable[float]) -> dict[float, Run]:
        """The CVs as set, by width."""
        return {d: self.cv(d) for d in widths}

    def setting(self, what: str) -> str:
        """Setting of a claim in words."""
        base = self.cv_config(NARROW)
        ions = " and ".join(nm(a) for a in sorted({ion.diameter.value for ion in base.electrolyte.ions}))
        kept = f"slits {nm(base.network.slit_length)} long, ions of {ions}, Stern layer {nm(base.stern_thickness)}"
        return f"{self.config.setting}, {kept}, {what}"

    def law_at(self, d: float) -> Law:
        """The law that the search finds in the CV of a slit width in m."""
        return self.search(self.cv(d), DiscoveryConfig(form="general", seed=self.config.seed))

    def search(self, run: Run, settings: DiscoveryConfig, crossings: Sequence[int] = ()) -> Law:
        """The law that the search finds in a run, in all of its crossings or in those named."""
        table = table_from_records([run.record])
        if crossings:
            table = table[table["i"].isin(crossings)].reset_index(drop=True)
        inputs = {"record": run.manifest["digest"], "crossings": ",".join(map(str, crossings))}
        key = stage_digest(settings, inputs)[:10]
        return super().law(f"{RUNS}/law-{_name(run.config.network.slit)}-{key}", table, settings, inputs)

    def atoms(self) -> tuple[TransSlitRecord, str]:
        """A record of molecular dynamics at 0.59 nm and its setting in words."""
        return found_or_run(self, self.config, self.given_md)

    # Running

    def _run(self, config: ContinuumConfig) -> Run:
        result = self._runs.get(config.digest)
        if result is None:
            folder = self._finished(config)
            place = self._place(config)
            result = (
                self.continuum(str(place.relative_to(self.folder.path)), config, Progress(quiet=True))
                if folder in (None, place)
                else Run(folder, config, read_manifest(folder))
            )
            self._runs[config.digest] = result
        return result

    def _place(self, config: ContinuumConfig) -> Path:
        return self.folder.path / RUNS / f"cv-{_name(config.network.slit)}-{config.digest[:10]}"

    def _finished(self, config: ContinuumConfig) -> Path | None:
        """The folder of a finished run of `config`: the evidence's own, that of a validation, or one that is given."""
        key, given = stage_digest(config), self.given.get(_key(config.model_dump(mode="json")))
        self._use(given)
        places = (self._place(config), self.folder.path / "continuum-cv")
        return next((place for place in places if read_manifest(place).get("digest") == key), given)

    def _use(self, folder: Path | None) -> None:
        self.unused = [other for other in self.unused if other != folder]


def _key(config: object) -> str:
    """Digest of a configuration with numbers to 12 digits: "3nm" on a command line is 3e-9 m but for round-off."""
    return digest(json.loads(json.dumps(config), parse_float=lambda number: f"{float(number):.12g}"))


def quadrature(changes: np.ndarray) -> tuple[float, float]:
    """How far changes (parameters, 2), by both ends of each parameter, take a number down and up, in quadrature."""
    down, up = changes.min(axis=1).clip(max=0), changes.max(axis=1).clip(min=0)
    return float(np.sqrt(np.sum(down**2))), float(np.sqrt(np.sum(up**2)))


def _name(d: float) -> str:
    return nm(d).replace(" ", "")
