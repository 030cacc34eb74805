"""Trans-slit currents, slit contents and potentials of a continuum run, as a trans-slit record.

I_i = F sum_k z_k J_k over the faces on the centre plane of sheet i (between slits i and i + 1), through its edge
gap, positive towards the bulk, with its exact parts (`transslit.decomposition`); dphi_i = phi_{i+1} - phi_i with
phi_i interpolated at the slit's centre. The content of a slit is counted between the centre planes of its sheets,
so that dQ_i/dt = I_i - I_{i-1} closes to the solver's tolerance (I_0 is the entrance's current, from slit 1 into the
reservoir, in `results.entrance`; the slit at the wall has I = 0 on its inner side). Concentrations are contents over
the slit's free volume d L, as in molecular dynamics; the halves of the edge gaps thus add t g / (d L) to them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import constants

from continuum.config import ContinuumConfig
from continuum.frames import FrameAnalysis, Frames
from continuum.mesh import Array
from continuum.mpnp import ModifiedPNP
from transslit import Electrolyte, SlitNetwork, TransSlitRecord
from transslit.decomposition import decompose
from transslit.record import PARTS

CURRENTS = ["I_A_per_m", *PARTS]


class PlaneCurrents:
    """Currents through groups of ion faces, and the parts of these currents.

    Parameters
    ----------
    equations : to which the faces belong
    chosen, group, sign : (faces,) numbers among `equations.inner_ion_faces`, the group of each, and the sign
        that counts its current
    groups : number of groups
    weights : (ions,) of the ions' fluxes in the sum; their valences (a current) when left out
    """

    def __init__(
        self,
        equations: ModifiedPNP,
        chosen: Array,
        group: Array,
        sign: Array,
        groups: int,
        weights: Array | None = None,
    ) -> None:
        self.weights = equations.z if weights is None else weights
        self.equations, self.group, self.sign, self.groups = equations, group, sign, groups
        self.lower, self.upper = equations.lower[chosen], equations.upper[chosen]
        self.conductance = equations.D[:, None] * equations.conductance[chosen]
        self.chosen = chosen

    def __call__(self, x: Array) -> Array:
        """Total, migration, diffusion, steric and (zero) residual in A/m, shape (5, groups), of unknowns `x`."""
        total = self.equations.fluxes(self.equations.faces(x))[:, self.chosen]
        parts = decompose(self.conductance, *self.across(x))
        return np.array([*(self.summed(flux) for flux in (total, *parts)), np.zeros(self.groups)])

    def one_way(self, x: Array) -> float:
        """Largest sum over a group of the one-way currents, there and back, whose differences `__call__` sums; A/m."""
        state = self.equations.faces(x)
        back_and_forth = state.forward * state.c_lower + state.backward * state.c_upper
        sizes = np.abs(self.weights) @ (self.conductance * back_and_forth[:, self.chosen])
        return float(np.bincount(self.group, sizes, self.groups).max(initial=0.0) * self.equations.flux_unit)

    def across(self, x: Array) -> tuple[Array, Array, Array, Array]:
        """Arguments of `decompose`: concentrations below and above each face, z dpsi and dmu; each (ions, faces)."""
        equations = self.equations
        psi, c = equations.split(x)
        psi = psi[equations.mesh.ion_cells]
        mu = equations.excess(c)
        migration = np.outer(equations.z, psi[self.upper] - psi[self.lower])
        steric = np.broadcast_to(mu[self.upper] - mu[self.lower], migration.shape)
        return c[:, self.lower], c[:, self.upper], migration, steric

    def summed(self, fluxes: Array) -> Array:
        """A/m through each group, of the ions' fluxes through the faces, (ions, faces), in the equations' unit."""
        sums = np.bincount(self.group, self.weights @ fluxes * self.sign, self.groups)
        return np.asarray(sums * self.equations.flux_unit)


class TransSlitFlux(FrameAnalysis):
    """Reduce frames to a `TransSlitRecord`: `TransSlitFlux(frames, network, electrolyte).run().results.record`.

    Parameters
    ----------
    frames : of a half cell (replica 0) or of a full cell (replica 0 the positive electrode, 1 the negative)
    network, electrolyte : as in molecular dynamics' analyzer; those of the frames when left out

    Results
    -------
    record : TransSlitRecord, SI units in its column names
    entrance : one row per (replica, time), current of slit 1 into the reservoir with its parts, in A/m
    """

    def __init__(
        self,
        frames: Frames,
        network: SlitNetwork | None = None,
        electrolyte: Electrolyte | None = None,
        verbose: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(frames, verbose=verbose, **kwargs)
        self.network = network or frames.config.network
        self.electrolyte = electrolyte or frames.config.electrolyte

    def _prepare(self) -> None:
        super()._prepare()
        equations = self.frames_reader.equations
        mesh, slits = equations.mesh, self.network.slits
        self._replicas = 2 if mesh.full else 1
        faces = equations.inner_ion_faces
        chosen, group, sign, place, bins = [], [], [], [], np.full(equations.m, -1)
        ion_x = mesh.centres[0, mesh.ion_cells]
        points = []
        for replica in range(self._replicas):
            outwards = 1.0 if replica == 0 else -1.0
            place = faces.position[0] if replica == 0 else mesh.length - faces.position[0]
            depth_of = ion_x if replica == 0 else mesh.length - ion_x
            for j, plane in enumerate(self.network.sheet_centres):
                on_plane = np.flatnonzero((faces.axis == 0) & (np.abs(place - plane) < 1e-15))
                chosen.append(on_plane)
                group.append(np.full(on_plane.size, replica * slits + j))
                sign.append(np.full(on_plane.size, outwards))
                bins[depth_of < plane] = replica * slits + j  # later, deeper sheets overwrite
            for centre in self.network.slit_centres:
                at = centre if replica == 0 else mesh.length - centre
                points.append(mesh.interpolation(at, self.network.slit_length / 2))
        groups = self._replicas * slits
        join = [np.concatenate(parts) if parts else np.zeros(0, dtype=int) for parts in (chosen, group, sign)]
        self._currents = PlaneCurrents(equations, join[0], join[1], join[2], groups)
        self._bins, self._groups = bins, groups
        self._points = points
        self._one_way = 0.0
        self._free_volume = self.network.slit * self.network.slit_length

    def _single_frame(self) -> None:
        equations, frame = self.frames_reader.equations, self._ts
        inside = self._bins >= 0
        volumes = equations.mesh.volumes[equations.mesh.ion_cells[inside]]
        contents = [np.bincount(self._bins[inside], c[inside] * volumes, self._groups) for c in frame.c]
        x = equations.from_si(frame.phi, frame.c)
        currents = self._currents(x)
        self._one_way = max(self._one_way, self._currents.one_way(x))
        phi = [weights @ frame.phi[cells] for cells, weights in self._points]
        terminal = [frame.drive, frame.terminal_current]
        self._rows.append((currents, phi, np.array(contents) / self._free_volume, terminal))

    def _conclude(self) -> None:
        replicas, slits, names = self._replicas, self.network.slits, self.electrolyte.names
        frames = len(self._rows)
        currents, phi, c, terminals = (np.array([row[n] for row in self._rows]) for n in range(4))
        currents = currents.reshape(frames, 5, replicas, slits)
        phi = phi.reshape(frames, replicas, slits)
        c = c.reshape(frames, len(names), replicas, slits)
        rho = constants.value("Faraday constant") * np.einsum("k,fkrs->frs", self.electrolyte.valences, c)

        def keys(numbers: Array) -> dict[str, Array]:
            grid = np.meshgrid(np.arange(replicas), self.times, numbers, indexing="ij")
            return {key: axis.ravel() for key, axis in zip(("replica", "time_s", "i"), grid, strict=True)}

        def flat(values: Array) -> Array:
            return np.moveaxis(values, 1, 0).ravel()

        crossings = keys(np.arange(1, slits)) | {"dphi_V": flat(np.diff(phi, axis=2))}
        crossings |= {name: flat(currents[:, n, :, 1:]) for n, name in enumerate(CURRENTS)}
        contents = keys(np.arange(1, slits + 1)) | {
            "phi_V": flat(phi),
            "Q_C_per_m": flat(rho) * self._free_volume,
            "rho_C_per_m3": flat(rho),
            "c_mol_per_m3": flat(c.sum(axis=1)),
            **{f"c_{name}_mol_per_m3": flat(c[:, k]) for k, name in enumerate(names)},
        }
        drive, current = terminals.reshape(frames, 2).T
        signs = [1.0, -1.0][:replicas]  # the second electrode carries the opposite of all that the first does
        which = "sigma_C_per_m2" if replicas == 2 else "phi_m_V"
        terminal = {
            "replica": np.repeat(np.arange(replicas), frames),
            "time_s": np.tile(self.times, replicas),
            which: np.concatenate([sign * drive for sign in signs]),
            "I_m_A_per_m": np.concatenate([sign * current for sign in signs]),
        }
        self.results.record = TransSlitRecord.made(
            "continuum",
            pd.DataFrame(crossings),
            pd.DataFrame(contents),
            pd.DataFrame(terminal),
            metadata(self.frames_reader.config) | {"one_way_A_per_m": self._one_way},
        )
        entrance = {key: values for key, values in keys(np.zeros(1)).items() if key != "i"}
        if slits:
            entrance |= {name: flat(currents[:, n, :, :1]) for n, name in enumerate(CURRENTS)}
        self.results.entrance = pd.DataFrame(entrance)


def metadata(config: ContinuumConfig) -> dict[str, Any]:
    """Metadata of a record of `config`."""
    half_cells = {"0": {"box": 0, "electrode": "positive", "face": "left"}}
    if config.cell == "full":
        half_cells["1"] = {"box": 0, "electrode": "negative", "face": "right"}
    return {
        "source": "continuum",
        "electrolyte": config.electrolyte.name,
        "temperature_K": config.temperature,
        "concentration_mol_per_m3": config.concentration,
        "network": config.network.model_dump(mode="json"),
        "drive": config.drive.model_dump(mode="json"),
        "cell": config.cell,
        "time_order": config.order,
        "half_cells": half_cells,
    }
