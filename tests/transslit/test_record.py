"""The record: round trip, parts that must add up, refusal of torn or mixed records."""

import json

import numpy as np
import pandas as pd
import pytest

from transslit import BadInput, StageFailed, TransSlitRecord


def planted(replicas=2, times=5, slits=3, **metadata):
    """A record whose slit i holds -i * t and whose current is constant."""
    time = 1e-12 * np.arange(times)
    keys = pd.MultiIndex.from_product([range(replicas), time, range(1, slits + 1)], names=["replica", "time_s", "i"])
    table = keys.to_frame(index=False)
    filled = table.assign(
        phi_V=0.1 / table["i"],
        Q_C_per_m=-table["i"] * table["time_s"],
        rho_C_per_m3=0.0,
        c_mol_per_m3=2.0,
        c_K_mol_per_m3=1.0,
        c_Cl_mol_per_m3=1.0,
    )
    crossings = table[table["i"] < slits].assign(
        dphi_V=0.01,
        I_A_per_m=1.0,
        I_migration_A_per_m=0.7,
        I_diffusion_A_per_m=0.2,
        I_steric_A_per_m=0.1,
        I_residual_A_per_m=0.0,
    )
    terminal = table[table["i"] == 1].drop(columns="i").assign(phi_m_V=0.1, I_m_A_per_m=2.0)
    facts = {"electrolyte": "KCl", "temperature_K": 298.15, "source": "continuum", **metadata}
    return TransSlitRecord(crossings.reset_index(drop=True), filled, terminal.reset_index(drop=True), facts)


def test_round_trip_keeps_every_bit(tmp_path):
    record = planted()
    record.write(tmp_path / "record")
    back = TransSlitRecord.read(tmp_path)  # the run folder that holds it
    for name in ("crossings", "slits", "terminal"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(record, name), check_exact=True)
    assert back.metadata == record.metadata
    assert back.ions == ["K", "Cl"]


def test_filling_is_relative_to_the_largest_charge_of_the_slit():
    table = planted().joined()
    last = table[(table["time_s"] == table["time_s"].max())]
    assert (last["q"] == 1).all()
    assert (table[table["time_s"] == 0]["q"] == 0).all()


def test_filling_of_each_electrode_is_its_own():
    """q = |Q_i| / max |Q_i| of the same replica and slit, where replica 1 holds a third of the charge of replica 0."""
    record = planted()
    charge = record.slits["Q_C_per_m"].where(record.slits["replica"] == 0, -record.slits["Q_C_per_m"] / 3)
    table = TransSlitRecord(
        record.crossings, record.slits.assign(Q_C_per_m=charge), record.terminal, record.metadata
    ).joined()
    np.testing.assert_allclose(table["q"], table["time_s"] / table["time_s"].max())


def test_parts_that_miss_the_total_are_refused():
    record = planted()
    with pytest.raises(BadInput, match="add up"):
        TransSlitRecord(
            record.crossings.assign(I_diffusion_A_per_m=0.3), record.slits, record.terminal, record.metadata
        )


def test_missing_columns_and_repeated_rows_are_refused():
    record = planted()
    with pytest.raises(BadInput, match="Q_C_per_m"):
        TransSlitRecord(record.crossings, record.slits.drop(columns="Q_C_per_m"), record.terminal)
    with pytest.raises(BadInput, match="repeated"):
        TransSlitRecord(record.crossings, pd.concat([record.slits, record.slits]), record.terminal)


@pytest.mark.parametrize("name", ["crossings.parquet", "record.json"])
def test_a_truncated_record_is_refused(tmp_path, name):
    planted().write(tmp_path)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(BadInput, match="truncated"):
        TransSlitRecord.read(tmp_path)


def test_concat_renumbers_replicas_and_refuses_mixtures():
    joined = TransSlitRecord.concat([planted(2), planted(3)])
    assert sorted(joined.terminal["replica"].unique()) == [0, 1, 2, 3, 4]
    with pytest.raises(BadInput, match="temperature_K"):
        TransSlitRecord.concat([planted(), planted(temperature_K=310.0)])
    with pytest.raises(BadInput, match="NaCl"):
        TransSlitRecord.concat([planted(), planted(electrolyte="NaCl")])


def test_resampled_record_weighs_every_moment_alike():
    """Rows crowded at a turn: even times, straight lines kept exactly, the kink as sharp as it was."""
    rising = 1 - np.geomspace(1, 0.05, 12)
    crowded = np.concatenate([rising, [1.0], 2 - rising[::-1]])
    even = planted(times=crowded.size)
    tables = {}
    for name in ("crossings", "slits", "terminal"):
        table = getattr(even, name)
        tables[name] = table.assign(time_s=crowded[(table["time_s"] * 1e12).round().astype(int)])
    tables["terminal"]["phi_m_V"] = 1 - (tables["terminal"]["time_s"] - 1).abs()
    tables["slits"]["Q_C_per_m"] = -tables["slits"]["i"] * tables["slits"]["time_s"]
    uneven = TransSlitRecord(**tables, metadata=dict(even.metadata))
    found = uneven.resampled(100)
    for _, rows in found.terminal.groupby("replica"):
        np.testing.assert_allclose(rows["time_s"], np.linspace(0, 2, 101), rtol=0, atol=1e-12)
        np.testing.assert_allclose(rows["phi_m_V"], 1 - np.abs(rows["time_s"] - 1), rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.slits["Q_C_per_m"], -found.slits["i"] * found.slits["time_s"], atol=1e-12)
    assert uneven.terminal["phi_m_V"].mean() > 0.6  # what a fit that gives every row one vote would see
    assert found.terminal["phi_m_V"].mean() == pytest.approx(0.5, abs=0.01)
    assert list(found.slits.columns) == list(uneven.slits.columns)
    assert len(found.crossings) == 2 * 2 * 101
    assert even.resampled() is even


def test_a_table_of_another_record_is_not_taken_for_its_own(tmp_path):
    planted().write(tmp_path / "a")
    planted(times=6).write(tmp_path / "b")
    (tmp_path / "b" / "slits.parquet").replace(tmp_path / "a" / "slits.parquet")
    with pytest.raises(BadInput, match=r"slits\.parquet.*not the table"):
        TransSlitRecord.read(tmp_path / "a")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("temperature_K", "warm"), ("temperature_K", -1.0), ("electrolyte", 3), ("network", {"slit": "1,5nm"}),
        ("drive", {"kind": 1}), ("drive", {"kind": "cv", "window": "0.4"}), ("half_cells", [1]),
        ("half_cells", {"0": {"box": 0}}), ("blocks", {"0": {"run": 0}}),
    ],
)  # fmt: skip
def test_metadata_of_another_type_are_refused(tmp_path, key, value):
    planted().write(tmp_path)
    path = tmp_path / "record.json"
    content = json.loads(path.read_text()) | {key: value}
    del content["checksum"], content["sha256"]
    path.write_text(json.dumps(content))
    with pytest.raises(BadInput, match=key if key != "network" else "slit"):
        TransSlitRecord.read(tmp_path)


@pytest.mark.parametrize(("table", "said"), [("slits", "slits: rows missing"), ("terminal", "terminal: rows missing")])
def test_missing_rows_are_refused(table, said):
    record = planted()
    tables = {name: getattr(record, name) for name in ("crossings", "slits", "terminal")}
    tables[table] = tables[table].iloc[:-1]  # of slits the last one, which has no crossing
    with pytest.raises(BadInput, match=said):
        TransSlitRecord(**tables, metadata=record.metadata)


def test_a_crossing_without_its_slit_is_refused():
    record = planted()
    moved = record.crossings.assign(i=record.crossings["i"] + 5)
    with pytest.raises(BadInput, match="slits: rows missing: needs one for each row of crossings"):
        TransSlitRecord(moved, record.slits, record.terminal, record.metadata)


def test_round_off_of_the_one_way_currents_is_no_fault():
    """A current of 1 A/m as the difference of 1e6 A/m either way may miss by 1e-7 A/m, and no more."""
    record = planted(one_way_A_per_m=1e6)
    assert record.round_off == 1e6 * 1e-13

    def missed(by):
        crossings = record.crossings.assign(I_diffusion_A_per_m=record.crossings["I_diffusion_A_per_m"] + by)
        return TransSlitRecord(crossings, record.slits, record.terminal, record.metadata)

    missed(9e-8)
    with pytest.raises(BadInput, match="must add up to I_A_per_m within 1e-07 A/m"):
        missed(2e-7)
    with pytest.raises(StageFailed, match="continuum: made a record that is none"):
        TransSlitRecord.made(
            "continuum", record.crossings.assign(I_A_per_m=2.0), record.slits, record.terminal, record.metadata
        )
    joined = TransSlitRecord.concat([planted(), record])
    assert joined.metadata["one_way_A_per_m"] == 1e6
