"""The half-cell ladder, or two of them back to back, from the mid-plane (0 V) into the electrode (phi_m).

    mid-plane --R_open-- open space --R_1-- slit 1 --R_2-- slit 2 -- ... --R_n-- slit n
                            |                 |               |                    |
                          C_open            C_slit          C_slit               C_slit      (all to the electrode)

The charges Q of the capacitors are integrated; u(Q) is a capacitor's voltage, the electrode's potential less that of
the node, and charging currents count as positive:

    dQ_i/dt = J_i - J_{i+1},   J_i = (u_{i-1} - u_i) / R_i(q_i),   q_i = |Q_i| / Q_max,   J_0 = I_m,   J_{n+1} = 0

The terminals close it, with s = u_0 and R = R_open of a half-cell, or the sums of both where the electrodes differ:

    V given:  I_m = (V - s) / R        I given        P given:  I_m (s + R I_m) = P

In a cell of two different half-cells the counter electrode's Q counts negative charge as positive; the one I_m fills
both, which is all that the split of V_m follows from. R_i is the resistor between slit i and its neighbour on the bulk
side and follows the charge of slit i itself. A continuous line is met at second order in 1/n where the first slit's
resistor is halved. Sources: the paper's Fig. 4b and Extended Data Fig. 11c; R. de Levie,
doi:10.1016/0013-4686(63)80042-0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuit.config import CircuitConfig, HalfCell
from circuit.curves import Curves, capacitor_voltages, concatenated, linear
from circuit.program import Segment
from circuit.resistance import SlitResistance
from transslit.errors import BadInput

Array = np.ndarray
QUASI_STEADY = 1e4  # time constants of the open space in a step
ROUND_OFF = 1e-14  # of the largest voltage: of the capacitors; it limits the accuracy of I_m where R_open is tiny


class Ladder:
    """The problem dy/dt = F(t, y). One half-cell: y = (charge passed, Q_0 ... Q_n); two: (Q_n ... Q_0, Q'_0 ... Q'_m).

    Parameters
    ----------
    config : the elements
    resistances : R(q) of each electrode of `config.electrodes`
    segments : the drive
    """

    def __init__(
        self, config: CircuitConfig, resistances: Sequence[SlitResistance], segments: Sequence[Segment]
    ) -> None:
        cells = config.electrodes
        self.values, self.slopes = [r.value for r in resistances], [r.slope for r in resistances]
        self.config, self.resistance, self.segments = config, resistances, segments
        self.half_cells = config.half_cells  # V_m and P of the cell over those of this ladder
        self.pair = len(cells) == 2
        self.inside = cells[0].slits if self.pair else 0  # links of a reversed ladder, ahead of the entrance
        self.nodes = sum(cell.slits + 1 for cell in cells)
        # Of the charges in y: the charge passed comes before them, and an idle entry where LAPACK needs three.
        self.first = max(0 if self.pair else 1, 3 - self.nodes)
        self.entrance = [self.inside, self.inside + 1] if self.pair else [0]
        self.deep: Array | slice = slice(1, None)  # node whose charge a link's resistance follows
        if self.pair:
            self.deep = np.r_[: self.inside, self.inside + 1 : self.nodes]
        self.open_resistance = sum(cell.open_resistance for cell in cells)
        self.size = self.nodes + self.first
        columns = [_capacitors(cell) for cell in cells]
        if self.pair:
            columns[0] = tuple(column[::-1] for column in columns[0])
        self.elastance, self.tables, *_ = (np.concatenate(parts) for parts in zip(*columns, strict=True))
        self.curves = _curves(config, cells, self.pair) if self.tables.any() else None
        self.entrance_curves = None if self.curves is None else self.curves.subset(self.entrance)
        self.capacitance = 1 / self.elastance
        pairs = zip(cells, resistances, strict=True)
        full = [config.full_charges(cell) if r.follows_charge else np.ones(cell.slits) for cell, r in pairs]
        halves = [np.where(np.arange(cell.slits) | (not cell.half_entrance_resistor), 1.0, 0.5) for cell in cells]
        if self.pair:
            full, halves = ([x[0][::-1], np.array([np.inf]), x[1]] for x in (full, halves))
        self.per_charge, self.factor = 1 / np.concatenate(full), np.concatenate(halves)
        if self.pair:
            self.factor[self.inside] = 1.0
        self.plain = bool((self.factor == 1).all())
        # From node to node: in one half-cell the first current is I_m and the last is zero.
        self.currents = np.zeros(self.nodes + 1)
        self.between, self.ahead, self.behind = self.currents[1:-1], self.currents[:-1], self.currents[1:]
        self.passed = np.zeros(self.size)  # weights of y in the charge that has passed the terminals
        self.passed[self.first + self.inside + 1 if self.pair else self.first - 1 :] = 1.0
        if not self.pair:
            self.passed[self.first :] = 0.0
        self.open_time = self.open_resistance * float(self.capacitance[self.entrance].max())
        self.tolerance = config.tolerance
        self.scale, self.largest = _scales(config, segments, self.capacitance)
        self.enter(0, 0.0)

    # ------------------------------------------------------------------ the drive

    def enter(self, segment: int, since: float) -> None:
        """Begin a segment at time `since` (s)."""
        self.now, self.since = self.segments[segment], since

    def terminal_current(self, t: float, s: float) -> tuple[float, float, float]:
        """I_m in A at the capacitors' voltage `s` in V, dI_m/ds in A/V and, at fixed s, dI_m/dt in A/s."""
        tau = t - self.since
        value = self.now.a + tau * (self.now.b + tau * self.now.c)
        change = self.now.b + 2 * tau * self.now.c
        if self.now.mode == "voltage":
            conductance = 1 / self.open_resistance
            return (value / self.half_cells - s) * conductance, -conductance, change / self.half_cells * conductance
        if self.now.mode == "current":
            return value, 0.0, change
        root = max(s * s + 4 * self.open_resistance * value / self.half_cells, 1e-30) ** 0.5
        return (root - s) / (2 * self.open_resistance), (s / root - 1) / (2 * self.open_resistance), 0.0

    def ends(self, t: float, y: Array) -> float | None:
        """How far V_m is beyond the limit that ends the segment, over the largest voltage; None without a limit."""
        limit = self.now.until
        if limit is None:
            return None
        s = self.across(self.voltages(y[self.first :])[0])
        current = self.terminal_current(t, s)[0]
        beyond = self.half_cells * (s + self.open_resistance * current) - limit
        if not self.now.rising:
            beyond = -beyond
        if self.now.mode == "power" and self.now.a < 0:  # beyond its largest power a cell's voltage collapses
            power = -self.now.a / self.half_cells
            beyond = max(beyond, 2.001 * (self.open_resistance * power) ** 0.5 - s)
        return beyond / (self.half_cells * self.scale)

    # ------------------------------------------------------------------ elements

    def voltages(self, charge: Array) -> tuple[Array, Array]:
        """u in V and du/dQ in V/C of the capacitors at charges (..., nodes) in C."""
        if self.curves is None:
            return charge * self.elastance, self.elastance
        u, slope = self.curves(np.abs(charge))
        return np.copysign(u, charge), slope

    def entrance_voltages(self, charge: Array) -> Array:
        """As `voltages`, u alone and of the entrance's capacitors alone, (..., 1) or (..., 2)."""
        if self.entrance_curves is None:
            return charge * self.elastance[self.entrance]
        return np.copysign(self.entrance_curves(np.abs(charge))[0], charge)

    def across(self, u: Array) -> float:
        """s in V: the voltage u (nodes,) of the entrance's capacitor, or the sum of both."""
        return float(u[self.inside] + u[self.inside + 1]) if self.pair else float(u[0])

    def energy(self, charge: Array) -> Array:
        """Energy in J of the capacitors at charges (..., nodes) in C."""
        if self.curves is None:
            return charge**2 * self.elastance / 2
        return self.curves.integral(np.abs(charge))

    def filling(self, charge: Array) -> Array:
        """q of the slit of each link, shape (..., links), at charges (..., nodes) in C."""
        q = np.abs(charge[..., self.deep])
        q *= self.per_charge
        return q

    def link_resistances(self, q: Array, slope: bool = False) -> Array:
        """R in ohm of the links (..., links), or dR/dq; infinite between the open spaces of two half-cells."""
        functions = self.slopes if slope else self.values
        if not self.pair:
            resistance = functions[0](q)
            return resistance if self.plain else resistance * self.factor
        k = self.inside
        resistance = np.empty(q.shape)
        resistance[..., :k] = functions[0](q[..., :k][..., ::-1])[..., ::-1]
        resistance[..., k + 1 :] = functions[1](q[..., k + 1 :])
        resistance[..., k] = 0.0 if slope else np.inf
        return resistance * self.factor

    # ------------------------------------------------------------------ the equations

    def flows(self, charge: Array, u: Array, out: Array | None = None) -> Array:
        """Current in A along each link from node k to k + 1, (..., links); also put into `out`."""
        flow = np.subtract(u[..., :-1], u[..., 1:], out=out)
        flow /= self.link_resistances(self.filling(charge))
        return flow

    def rate(self, t: float, y: Array) -> Array:
        """dy/dt, in A."""
        charge = y[self.first :]
        u, _ = self.voltages(charge)
        self.flows(charge, u, out=self.between)
        return self._balance(self.terminal_current(t, self.across(u))[0])

    def _balance(self, current: float) -> Array:
        """dy/dt from the links' currents in `currents` and the terminal current."""
        first = self.first
        if not self.pair:
            self.currents[0] = current
        out = np.zeros(self.size)
        np.subtract(self.ahead, self.behind, out=out[first:])
        if self.pair:
            out[first + self.inside] += current
            out[first + self.inside + 1] += current
        else:
            out[first - 1] = current
        return out

    def linearise(self, t: float, y: Array) -> tuple[Array, Array, Array, Array, Array] | None:
        """`rate`, the bands of its derivative by y in 1/s, and its derivative by time in A/s.

        None where a resistance is not positive.
        """
        charge = y[self.first :]
        u, du = self.voltages(charge)
        q = self.filling(charge)
        resistance = self.link_resistances(q)
        if len(q) and not resistance.min() > 0:
            return None
        flow = np.subtract(u[:-1], u[1:], out=self.between)
        flow /= resistance
        current, by_voltage, by_time = self.terminal_current(t, self.across(u))
        f, k = self.first, self.inside
        bands = np.zeros((4, self.size))
        below, diagonal, above, forcing = bands[0, 1:], bands[1], bands[2, 1:], bands[3]
        # Of a link's current: its rise with the charge ahead of it, its fall with the charge behind it.
        rise = np.divide(du[:-1], resistance, out=below[f:])
        fall = np.divide(du[1:], resistance, out=above[f:])
        lost = self.link_resistances(q, slope=True) * np.copysign(self.per_charge, charge[self.deep])
        lost *= flow
        lost /= resistance
        if k:
            rise[:k] -= lost[:k]
            fall[k:] += lost[k:]
        else:
            fall += lost
        diagonal[f + 1 :] -= fall
        diagonal[f:-1] -= rise
        slopes = [by_voltage * du[node] for node in self.entrance]
        for node, slope in enumerate(slopes, f + k):
            diagonal[node] += slope
            forcing[node] = by_time
        if self.pair:
            below[f + k], above[f + k] = slopes
        else:
            above[f - 1], forcing[f - 1] = slopes[0], by_time
        return self._balance(current), below, diagonal, above, forcing

    # ------------------------------------------------------------------ errors

    def quasi_steady(self, h: float | Array) -> bool | Array:
        """Whether a step of length `h` is so long that I_m follows from the charge passed, and not from V - s.

        At the scan rates of a laboratory the open space charges a millionfold faster than the cycle: V - s is then less
        than the error of s.
        """
        return h > QUASI_STEADY * self.open_time

    def error(self, t: float, h: float, y: Array, estimate: Array) -> float:
        """Error of u over the largest voltage, or a tenth of that of I_m over its largest value, over the tolerance.

        The tenth: where the open space is quicker than the step, the estimate of u_0, unlike u_0, is of low order.
        """
        volts = np.abs(estimate[self.first :]) * self.elastance
        size = float(volts.max()) / self.scale
        if self.now.mode == "voltage" and self.quasi_steady(h):
            passed = abs(float(self.passed @ estimate)) / h
            return max(size, passed / self.largest if self.largest else 0.0) / self.tolerance
        s = self.across(self.voltages(y[self.first :])[0])
        current, slope, _ = self.terminal_current(t, s)
        largest = max(self.largest, abs(current))
        if largest:
            significant = max(0.0, self.across(volts) - ROUND_OFF * self.scale)
            size = max(size, 0.1 * significant * abs(slope) / largest)
        size /= self.tolerance
        if size <= 1:
            self.largest = largest
        return size

    def refuse(self, t: float, y: Array) -> None:
        """Raise `BadInput` naming slit, time and q where a resistance is about to reach zero."""
        q = self.filling(y[self.first :])
        if not len(q):
            return
        value, empty = self.link_resistances(q), self.link_resistances(np.zeros(len(q)))
        low = np.flatnonzero(value < 0.01 * empty)
        if low.size:  # several come near zero at once; the one nearest the entrance is the first
            link = int(low[np.argmin(np.abs(low - self.inside))])
            counter = " of the counter electrode" if self.pair and link > self.inside else ""
            slit = self.inside - link if link < self.inside else link + (0 if self.pair else 1) - self.inside
            raise BadInput(
                "resistance",
                f"reaches zero in slit {slit}{counter} at t = {t:.6g} s, q = {q[link]:.4g}",
                "must stay positive; lower gamma, or raise the charge at which q = 1",
            )


def _capacitors(cell: HalfCell) -> tuple[Array, ...]:
    """Elastance (1/F) of the open space and each slit when empty, and whether it is a table."""
    tables = cell.tables("capacitance_table")
    slits = np.array([t.value[0] for t in tables[: cell.slits]]) if tables else cell.per_slit("slit_capacitance")
    opened = cell.open_capacitance_table.value[0] if cell.open_capacitance_table else cell.open_capacitance
    is_table = np.full(cell.slits + 1, bool(tables))
    is_table[0] = cell.open_capacitance_table is not None
    return 1 / np.concatenate([[opened], slits]), is_table


def _curves(config: CircuitConfig, cells: Sequence[HalfCell], pair: bool) -> Curves:
    """u(Q) of all capacitors in the order of the chain."""
    parts = []
    for number, cell in enumerate(cells):
        opened = cell.open_capacitance_table
        tables = cell.tables("capacitance_table")[: cell.slits]
        entrance = capacitor_voltages([opened], None) if opened else linear(1 / np.array([cell.open_capacitance]))
        columns = [entrance]
        if cell.slits and tables:
            by_q = any(table.over == "q" for table in tables)
            columns.append(capacitor_voltages(tables, config.full_charges(cell) if by_q else None))
        elif cell.slits:
            columns.append(linear(1 / cell.per_slit("slit_capacitance")))
        joined = concatenated(columns)
        if pair and number == 0:
            joined = joined.subset(slice(None, None, -1))
        parts.append(joined)
    return concatenated(parts)


def _scales(config: CircuitConfig, segments: Sequence[Segment], capacitance: Array) -> tuple[float, float]:
    """Expected largest voltage of a capacitor (V), and a lower bound of the largest current (A)."""
    half_cells = config.half_cells
    tops, currents = [abs(config.initial_voltage) / half_cells, 1e-12], [0.0]
    passed = 0.0
    total = float(capacitance.sum()) / len(config.electrodes)  # F, of a half-cell
    for segment in segments:
        end = segment.a + segment.duration * (segment.b + segment.duration * segment.c)
        if segment.until is not None:
            tops.append(abs(segment.until) / half_cells)
        elif segment.mode == "voltage":
            tops.append(max(abs(segment.a), abs(end)) / half_cells)
        if segment.mode == "voltage":  # the charging current of the open space alone
            for rate in (segment.b, segment.b + segment.duration * segment.c):
                currents.append(abs(rate) / half_cells * float(capacitance.min()) / len(config.electrodes))
        elif segment.mode == "current":
            currents.append(max(abs(segment.a), abs(end)))
            if segment.until is None:
                passed += (segment.a + end) / 2 * segment.duration
                tops.append(abs(passed) / total)
    return max(tops), max(currents)
