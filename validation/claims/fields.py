"""Claims on the fields inside the electrode and before it: open space, crossing line, migration's law, capacitance."""

from __future__ import annotations

import numpy as np
import pandas as pd

from continuum import CrossingLine, OpenSpaceFlux, Run, capacitances, migration_laws
from continuum.measures import by_width, instant, spread
from transslit.plot import TIME, Axis, plot
from transslit.series import durations
from validation.claims.registry import Finding, claim
from validation.claims.uncertainty import Evidence, Need
from validation.presets import NARROW, WIDTHS
from validation.verdicts.verdict import part
from validation.verdicts.words import nm

MECHANISMS = {
    "I_migration_A_per_m": "migration",
    "I_diffusion_A_per_m": "diffusion",
    "I_steric_A_per_m": "steric",
    "I_junction_A_per_m": "liquid junction",
}
NEAR, FAR = "1 Debye length off", "8/10 of the way to the mid-plane"


def _open_space(run: Run) -> pd.DataFrame:
    """Currents on two planes over the cycle.

    The far one lies well beyond the double layer, whose tail a coarse grid draws out: in it migration and diffusion are
    a thousand times their sum.
    """
    debye = run.config.electrolyte.debye_length(run.config.concentration)
    with run.frames() as frames:
        table = OpenSpaceFlux(frames, [debye, 0.8 * run.config.network.reservoir_length]).run().results.table
    table = table[table["time_s"] > 0]
    return table.assign(place=np.where(table["x_m"] == table["x_m"].min(), NEAR, FAR))


def _shares_in_open_space(run: Run) -> dict[str, float]:
    table = _open_space(run)
    result = {}
    near = table[table["place"] == NEAR].sort_values("time_s")
    weight = durations(near["time_s"].to_numpy())
    for column in ("I_diffusion_A_per_m", "I_steric_A_per_m"):
        against = (near[column] * near["I_migration_A_per_m"] < 0).to_numpy()
        result[MECHANISMS[column]] = float(weight @ against / weight.sum())
    far = table[table["place"] == FAR].sort_values("time_s")
    weight = durations(far["time_s"].to_numpy())
    rest = (far["I_A_per_m"] - far["I_migration_A_per_m"]).abs()
    result["far"] = float(1 - weight @ rest / (weight @ far["I_A_per_m"].abs()))
    return result


@claim(
    "C01",
    figure="2c, ED2",
    see=(
        "Left, near the electrode, diffusion and steric current lie on the other side of zero than migration; "
        "right, far off, migration is nearly the whole current. A liquid junction's drift cancels what ions of unequal "
        "mobility carry as they diffuse."
    ),
    needs=[Need("cv", (1.5e-9,), inputs=True)],
    draw=plot(TIME, Axis("current", "I / mA m$^{-1}$", 1e3), hue="mechanism", panel="place", marks="-", free=True),
)
def open_space(evidence: Evidence) -> Finding:
    """In open space diffusion and steric flux oppose migration all through the cycle; far off migration is nearly all.

    Share of the cycle in which the diffusion, and the steric, current on a plane one Debye length off the electrode
    have the sign opposite to migration's; and, 8/10 of the way to the mid-plane, 1 - integral |I - I_migration| dt over
    integral |I| dt. Migration is without the drift of the diffusion potential, which cancels the diffusion of neutral
    salt (`continuum.open_space_flux`); between ions of equal mobility there is none. d = 1.5 nm.
    """
    result = evidence.at(_shares_in_open_space, 1.5e-9)
    whole = "95 %: the turns of the drive, where all currents pass zero, are left a twentieth of the cycle"
    mainly = "'mainly': all but a twentieth"
    parts = (
        part("Share of the cycle in which diffusion opposes", result["diffusion"], low=0.95, reason=whole),
        part("Share of the cycle in which the steric flux opposes", result["steric"], low=0.95, reason=whole),
        part("Share of migration in the current far off", result["far"], low=0.95, reason=mainly),
    )
    table = _open_space(evidence.cv(1.5e-9)).melt(
        ["time_s", "x_m", "place"], list(MECHANISMS), var_name="mechanism", value_name="current"
    )
    return Finding(parts, evidence.setting("d = 1.5 nm"), table.assign(mechanism=table["mechanism"].map(MECHANISMS)))


def _theta(run: Run) -> dict[str, float]:
    laws = migration_laws(run.record)
    theta = laws["theta_A_m2_per_V_mol"]
    return {"r2": float(laws["r_squared"].min()), "spread": spread(theta), "least": float(theta.min())}


@claim(
    "C16",
    figure="ED8c",
    see="Points on one straight line through the origin, whatever the crossing: one constant for all.",
    needs=[Need("cv", (2e-9,), inputs=True)],
    draw=plot(
        Axis("predicted", "$\\theta c_i\\Delta\\varphi_i$ / mA m$^{-1}$", 1e3),
        Axis("current", "migration / mA m$^{-1}$", 1e3),
        hue="i",
        marks=".",
    ),
)
def migration_law(evidence: Evidence) -> Finding:
    """Migration alone is theta c_i dphi_i with a constant theta.

    Coefficient of determination of I_migration = theta c_i dphi_i over the cycle, the smallest of the crossings, and
    the spread of theta over them; c_i is the total ion concentration. d = 2 nm. And the least theta: below zero, a line
    as good would be migration against the voltage.
    """
    result = evidence.at(_theta, 2e-9)
    parts = (
        part("R2 of the line", result["r2"], low=0.99, reason="'quantitative description': 1 % of the variance left"),
        part("Spread of theta over the crossings", result["spread"], high=0.05, reason="5 %: one constant"),
        part("Least theta", result["least"], low=0.0, unit="A m2/(V mol)", reason="along the voltage, not against it"),
    )
    record = evidence.cv(2e-9).record
    rows = record.joined()
    theta = rows["i"].map(migration_laws(record).set_index("i")["theta_A_m2_per_V_mol"])
    predicted = theta * rows["c_mol_per_m3"] * rows["dphi_V"]
    table = pd.DataFrame({"i": rows["i"], "current": rows["I_migration_A_per_m"], "predicted": predicted})
    return Finding(parts, evidence.setting("d = 2 nm"), table)


def _crossing(run: Run) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Profiles along x and across the gap of crossing 1 a quarter into the cycle, between the frames beside it."""
    with run.frames() as frames:
        time = instant(run, 0.25)
        after = int(np.searchsorted(frames.times, time))
        results = CrossingLine(frames, i=1).run(start=after - 1, stop=after + 1).results
        before, later = frames.times[after - 1 : after + 1]
    share = (time - before) / (later - before)
    blended = []
    for table in (results.table, results.gap):
        first, second = (part.reset_index(drop=True) for _, part in table.groupby("time_s"))
        blended.append(first * (1 - share) + second * share)
    line, gap = blended
    line["resistivity_ohm_m"] = -np.gradient(line["phi_V"], line["x_m"]) / line["j_A_per_m2"]
    return line, gap


def _local(run: Run) -> dict[str, float]:
    line, gap = _crossing(run)
    drop = -np.diff(line["phi_V"]) * np.sign(line["j_A_per_m2"].iloc[0])  # with the current, from slit 2 to slit 1
    net = abs(line["phi_V"].iloc[0] - line["phi_V"].iloc[-1])
    # Densities as means over a quarter of the gap, whatever the cells: j is singular at the sheet's edge.
    width = float(gap["height_m"].sum())
    passed = np.concatenate([[0.0], np.cumsum(gap["j_A_per_m2"] * gap["height_m"])])
    at = np.concatenate([[0.0], np.cumsum(gap["height_m"])])
    edge, rest = np.interp([width / 4, 3 * width / 4], at, passed)
    return {
        "edge": float(edge / (passed[-1] - rest)),
        "positive": float(net / drop[drop > 0].sum()),
        "negative": float(-net / drop[drop < 0].sum()),
    }


@claim(
    "C18",
    figure="ED10, 4a",
    see=(
        "Left, the potential has a hump at the crossing, so that the local resistance (middle) has both signs; "
        "right, the flux is crowded at the sheet's edge."
    ),
    needs=[Need("cv", (1.5e-9,), inputs=True)],
    draw=plot(
        Axis("position_m", "x, or distance from the edge / nm", 1e9), Axis("value", ""), panel="profile", free=True
    ),
)
def crossing_line(evidence: Evidence) -> Finding:
    """The flux is larger at a sheet's edge than at the mirror plane, and the local resistance has large parts of both
    signs.

    A quarter into the cycle, crossing 1, d = 1.5 nm: current density in the quarter of the gap at the sheet's edge over
    that in the quarter at the mirror plane; and along x through the gap the falls of phi with the current (positive
    local resistance) and against it (negative), and the net fall from slit to slit over each.
    """
    result = evidence.at(_local, 1.5e-9)
    large = "'large': the part is at least twice the net of the two"
    parts = (
        part("Current density at the edge over that at the mirror", result["edge"], low=1.1, reason="'clearly longer'"),
        part("Net fall over its positive part", result["positive"], high=0.5, reason=large),
        part("Net fall over its negative part", result["negative"], high=0.5, reason=large),
    )
    line, gap = _crossing(evidence.cv(1.5e-9))
    profiles = (
        ("potential / mV", line["x_m"], line["phi_V"] * 1e3),
        ("local resistivity / $\\Omega$ m", line["x_m"], line["resistivity_ohm_m"]),
        ("$j_x$ in the gap / MA m$^{-2}$", gap["from_edge_m"], gap["j_A_per_m2"] / 1e6),
    )
    tables = [pd.DataFrame({"position_m": x, "value": value, "profile": name}) for name, x, value in profiles]
    setting = evidence.setting("d = 1.5 nm, a quarter into the cycle")
    return Finding(parts, setting, pd.concat(tables, ignore_index=True))


def _capacitance(run: Run) -> dict[str, float]:
    slits = capacitances(run.record).groupby("i")["C_F_per_m"]
    mean = slits.mean()
    like = mean[mean.index < mean.index.max()]
    wall = float(mean.iloc[-1] / like.mean() - 1)
    return {"slits": spread(like), "time": float((slits.std() / mean).max()), "wall": wall}


def _capacitance_table(run: Run) -> pd.DataFrame:
    table = capacitances(run.record)
    return table[table["i"] == 2][["time_s", "i", "C_F_per_m", "q_C_per_m", "u_V"]]


@claim(
    "C19",
    figure="ED11a,b",
    see="Each line is nearly level: capacitance hardly depends on the time in the cycle.",
    needs=[Need("cv", (NARROW, *WIDTHS), inputs=True)],
    draw=plot(TIME, Axis("C_F_per_m", "$C_2$ / nF m$^{-1}$", 1e9), hue="width", marks="-"),
)
def capacitance(evidence: Evidence) -> Finding:
    """A slit's capacitance is the same for every slit and time when d is above 1 nm.

    |Q_i| / |phi_m - phi_i|: spread over the slits between like sheets, (largest - smallest) / mean of the means over
    the cycle, and the largest relative standard deviation of all slits over the cycle, at d = 1.5 to 5 nm; where
    |phi_m - phi_i| is above a twentieth of its largest. 1 nm is shown and not judged.
    """
    close = "5 %: lines that coincide in a figure"
    parts = []
    for d in WIDTHS:
        result = evidence.at(_capacitance, d)
        wall = f"{close}; the slit at the wall holds {result['wall'].value:.1%} more per volt, by its larger sheet"
        parts.append(part(f"Spread over the slits at {nm(d)}", result["slits"], high=0.05, reason=wall))
        parts.append(part(f"Relative deviation over the cycle at {nm(d)}", result["time"], high=0.05, reason=close))
    table = by_width(evidence.runs((NARROW, *WIDTHS)), _capacitance_table)
    return Finding(parts, evidence.setting("d = 1.5 to 5 nm"), table)
