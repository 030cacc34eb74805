"""Tables: records to rows, held-out slits, units, and one line for each fault."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from discovery import DiscoveryConfig, read_tables, table_from_records
from discovery.problem import RANDOM_FIFTH, held_out_rows, make_problem
from transslit.columns import combined_unit, stem_of, unit_of
from transslit.errors import BadInput
from transslit.record import TransSlitRecord

INPUTS = ("I_A_per_m", "q")


def record(slits: int = 3, times: int = 11, **metadata: object) -> TransSlitRecord:
    """Constant current i A/m in slit i, charge i t, dphi = 2 I."""
    keys = [(0, 0.1 * k, i) for i in range(1, slits + 1) for k in range(times)]
    base = pd.DataFrame(keys, columns=["replica", "time_s", "i"])
    current = base["i"].astype(float)
    parts = {"I_migration_A_per_m": current, "I_diffusion_A_per_m": 0.0, "I_steric_A_per_m": 0.0}
    crossings = base.assign(dphi_V=2 * current, I_A_per_m=current, **parts, I_residual_A_per_m=0.0)
    charge = current * base["time_s"]
    contents = base.assign(phi_V=0.0, Q_C_per_m=charge, rho_C_per_m3=charge, c_mol_per_m3=1.0)
    terminal = pd.DataFrame({"replica": 0, "time_s": 0.1 * np.arange(times), "I_m_A_per_m": 1.0, "phi_m_V": 0.0})
    metadata = {"electrolyte": "KCl", "temperature_K": 298.15, **metadata}
    return TransSlitRecord(crossings, contents, terminal, metadata)


def test_records_become_rows_with_groups_and_integrated_current() -> None:
    table = table_from_records([record(), record()])
    assert len(table) == 2 * 3 * 10  # the instant t = 0 is at rest
    assert sorted(table["group"].unique()) == [f"{r}.0.{i}" for r in range(2) for i in (1, 2, 3)]
    np.testing.assert_allclose(table["charge_C_per_m"], table["I_A_per_m"] * table["time_s"])
    np.testing.assert_allclose(table["q"], table["time_s"])
    assert table["q"].max() == 1


def test_records_supply_width_cycle_and_passed_charge() -> None:
    metadata = {"network": {"slit": 2e-9}, "drive": {"window": 1.0, "scan_rate": 4.0}}  # a cycle takes 0.5 s
    table = table_from_records([record(**metadata)])
    assert (table["d"] == 2).all()
    assert table.groupby("cycle")["time_s"].max().to_dict() == pytest.approx({1: 0.5, 2: 1.0})
    np.testing.assert_allclose(table["q_I"], table["time_s"])  # a constant current
    assert table.attrs["meaning"]["d"] == "slit width / 1e-09 m"
    assert "d" not in table_from_records([record()])  # a record that does not say how wide its slits are


def test_charges_are_relative_to_the_largest_of_their_replica_and_slit() -> None:
    """Replica 1 carries -0.3 times the current of replica 0: q and q_I rise from 0 to 1 in both."""
    both = []
    for number, share in ((0, 1.0), (1, -0.3)):
        one = record()
        for table, columns in (
            (one.crossings, ["dphi_V", "I_A_per_m", "I_migration_A_per_m"]),
            (one.slits, ["Q_C_per_m", "rho_C_per_m3"]),
        ):
            table[columns] *= share
        both.append([table.assign(replica=number) for table in (one.crossings, one.slits, one.terminal)])
    tables = (pd.concat(pair, ignore_index=True) for pair in zip(*both, strict=True))
    table = table_from_records([TransSlitRecord(*tables, metadata=record().metadata)])
    for column in ("q", "q_I"):
        np.testing.assert_allclose(table[column], table["time_s"])


def test_records_of_uneven_steps_are_put_on_even_times() -> None:
    uneven = record(times=11)
    for table in (uneven.crossings, uneven.slits, uneven.terminal):
        table["time_s"] = table["time_s"] ** 2
    steps = table_from_records([uneven]).query("i == 1")["time_s"].diff().dropna()
    np.testing.assert_allclose(steps, steps.iloc[0], rtol=1e-6)


def test_scatter_over_replicas_is_the_uncertainty() -> None:
    """Four replicas at +1, +1, +1 and -1 times a drive, with known errors: one standard deviation for all."""
    parts, errors = [], np.array([0.3, -0.1, 0.4, -0.6])
    for number, sign in enumerate([1, 1, 1, -1]):
        one = record()
        one.terminal["phi_m_V"] = 0.1 * sign
        one.crossings["dphi_V"] = sign * (one.crossings["dphi_V"] + errors[number])
        for table in (one.crossings, one.slits, one.terminal):
            table["replica"] = number
        parts.append(one)
    merged = TransSlitRecord.concat(parts)
    table = table_from_records([merged])
    np.testing.assert_allclose(table["dphi_V_std"], errors.std(ddof=1))
    assert "dphi_V_std" not in table_from_records([merged, record()])


def test_a_slit_that_never_charges_has_no_q_and_is_left_out() -> None:
    empty = record()
    empty.slits.loc[empty.slits["i"] == 2, "Q_C_per_m"] = 0.0
    assert sorted(table_from_records([empty])["i"].unique()) == [1, 3]


def test_records_of_two_electrolytes_do_not_mix() -> None:
    with pytest.raises(BadInput, match="electrolyte: NaCl: must equal KCl"):
        table_from_records([record(), record(electrolyte="NaCl")])


def test_a_random_fifth_is_held_out_and_found_again_from_its_seed() -> None:
    table = pd.DataFrame({"x_m": np.arange(50.0), "y_m": np.arange(50.0) ** 2})
    problem = make_problem(table, DiscoveryConfig(inputs=("x_m",), target="y_m", seed=3))
    mask = held_out_rows(table, RANDOM_FIFTH, 3)
    assert problem.held_out is not None
    assert problem.held_out.x[0] * 49 == pytest.approx(table["x_m"][mask].to_numpy())


def test_the_last_slit_is_held_out_by_default(make_table) -> None:
    table = make_table(lambda q: 1 - 0.5 * q)
    problem = make_problem(table, DiscoveryConfig())
    assert list(problem.held_out_by_condition) == ["i=4"]
    assert problem.rows.x.shape == (2, 1200)
    assert problem.held_out is not None
    assert problem.held_out.x.shape == (2, 400)
    assert make_problem(table, DiscoveryConfig(held_out=("i=1", "i=2"))).rows.x.shape == (2, 800)
    assert make_problem(table, DiscoveryConfig(held_out="none")).held_out is None
    one_slit = make_problem(table[table["i"] == 1], DiscoveryConfig())
    assert one_slit.rows.x.shape == (2, 320)  # a fifth of the rows instead
    assert one_slit.signed == {0}


def test_each_condition_has_its_own_held_out_rows() -> None:
    wide = [record(network={"slit": width}) for width in (1e-9, 2e-9, 3e-9)]
    table = table_from_records(wide)
    table["q"] += 1e-3 * table["i"]
    problem = make_problem(table, DiscoveryConfig(inputs=("I_A_per_m", "q", "d"), held_out=("d=2", "i=3")))
    assert {name: rows.x.shape[1] for name, rows in problem.held_out_by_condition.items()} == {"d=2": 30, "i=3": 30}
    assert problem.held_out is not None
    assert problem.held_out.x.shape == (3, 50)
    assert problem.rows.x.shape == (3, 40)
    assert problem.meaning["q"].startswith("|Q_i|")


def test_scaling_is_to_one(make_table) -> None:
    rows = make_problem(make_table(lambda q: 1 - 0.5 * q), DiscoveryConfig(held_out="none")).rows
    np.testing.assert_allclose(np.abs(rows.x).max(axis=1), 1)
    assert np.mean(rows.y**2) == pytest.approx(1)


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        ("I_A_per_m", "A/m"),
        ("c_mol_per_m3", "mol/m**3"),
        ("dphi_V", "V"),
        ("q", "1"),
        ("q_I", "1"),
        ("Q_C_per_m", "C/m"),
    ],
)
def test_units_are_read_from_column_names(column: str, unit: str) -> None:
    from transslit.units import registry

    assert registry().Quantity(1, unit_of(column)).to(unit).magnitude == 1


def test_a_quantity_is_known_without_its_unit() -> None:
    stems = {"I_A_per_m": "I", "I_mA_per_m": "I", "phi_m_V": "phi_m", "q_I": "q_I", "d": "d"}
    assert {name: stem_of(name) for name in stems} == stems


def test_units_of_constants() -> None:
    assert combined_unit("dphi_V", [("I_A_per_m", 1), ("q", 1)]) == "ohm*m"
    assert combined_unit("dphi_V", []) == "V"
    assert combined_unit("dphi_V", [("I_A", 1)]) == "ohm"
    assert combined_unit("", [("q", 2)]) == "1"


def broken(table: pd.DataFrame, fault: str) -> pd.DataFrame:
    table = table.copy()
    if fault == "missing":
        return table.drop(columns="q")
    if fault == "nan":
        table.loc[7, "q"] = np.nan
    elif fault == "inf":
        table.loc[7, "dphi_V"] = np.inf
    elif fault == "constant":
        table["q"] = 0.3
    elif fault == "text":
        table["q"] = "much"
    elif fault == "few":
        return table.head(19)
    elif fault == "std":
        table["dphi_V_std"] = 0.0
    return table


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", "column: q: not in the table, which has "),
        ("nan", "column q: nan in row 8: every row needs a finite number"),
        ("inf", "column dphi_V: inf in row 8: every row needs a finite number"),
        ("constant", "column q: constant at 0.3: must vary to be searched"),
        ("text", "column q: much: must hold plain numbers"),
        ("few", "table rows: 19: too few for a search; give 20 or more"),
        ("std", "column dphi_V_std: 0.0: uncertainties must be positive"),
    ],
)
def test_bad_tables_get_one_line(make_table, tmp_path, fault: str, message: str) -> None:
    path = tmp_path / "data.csv"
    broken(make_table(lambda q: 1 - 0.5 * q), fault).to_csv(path, index=False)
    with pytest.raises(BadInput) as error:
        read_tables([path], "dphi_V", INPUTS)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_bad_files_get_one_line(tmp_path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_tables([tmp_path / "none.csv"], "dphi_V", INPUTS)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)))
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 not really")
    for name in ("empty.csv", "binary.csv", "torn.parquet"):
        with pytest.raises(BadInput, match=r"is (not|damaged)") as error:
            read_tables([tmp_path / name], "dphi_V", INPUTS)
        assert "\n" not in str(error.value)


def test_every_field_of_the_configuration_has_a_help_text() -> None:
    assert not [name for name, field in DiscoveryConfig.model_fields.items() if not field.description]


def test_bad_configurations_get_one_line(make_table) -> None:
    with pytest.raises(BadInput, match=r"target: .*: must not be among the inputs"):
        DiscoveryConfig.read(inputs=("dphi_V", "q"))
    with pytest.raises(BadInput, match="an input is named twice"):
        DiscoveryConfig.read(inputs=("q", "q"))
    with pytest.raises(BadInput, match=r"held_out: i=9: no such row; i is 1, 2, 3, 4"):
        make_problem(make_table(lambda q: 1 - q / 2), DiscoveryConfig(held_out=("i=9",)))


def test_tables_survive_a_file(make_table, tmp_path) -> None:
    table = make_table(lambda q: 1 - 0.5 * q)
    table.to_parquet(tmp_path / "data.parquet")
    pd.testing.assert_frame_equal(read_tables([tmp_path / "data.parquet"], "dphi_V", INPUTS), table)
    twice = read_tables([tmp_path / "data.parquet"] * 2, "dphi_V", INPUTS)["group"]
    assert twice.tolist() == [f"{n}.{group}" for n in range(2) for group in table["group"].astype(str)]


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        ("dphi_V,I_A_per_m,q", "{y},{i},0.5,7", "is not a CSV table"),  # would shift every column by one
        ("dphi_V,q,I_A_per_m,q", "{y},0.1,{i},0.2", "q: names two columns"),
        ("dphi_V;I_A_per_m;q", "0,1;0,2;0,3", "points are decimal marks"),
        ("dphi_V;I_A_per_m;q", "0.1;0.2;0.3", "not in the table"),
        ("dphi_V,I_A_per_m,q", '"0,{n}","{n},5",0.5', "must hold plain numbers"),
        ("dphi_V,I_A_per_m,q", "0_{n},{i},0.5", "must hold plain numbers"),
    ],
)
def test_a_table_that_would_be_read_as_another_is_refused(tmp_path, header: str, row: str, message: str) -> None:
    rows = [row.format(y=0.1 * n, i=n % 7, n=n) for n in range(30)]
    (tmp_path / "data.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        read_tables([tmp_path / "data.csv"], "dphi_V", INPUTS)


@pytest.mark.parametrize("name", ["U (V)", "I/A", "exp", "2q", "a b"])
def test_a_column_that_no_formula_can_name_is_refused_before_the_search(make_table, name: str) -> None:
    table = make_table(lambda q: 1 - 0.5 * q).rename(columns={"q": name})
    with pytest.raises(BadInput, match="rename it"):
        make_problem(table, DiscoveryConfig(inputs=("I_A_per_m", name)))
