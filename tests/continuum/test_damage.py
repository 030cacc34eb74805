"""Files of a run that a disk, a copy or a kill has damaged: one line or the undisturbed numbers, never others."""

import json

import h5py
import numpy as np
import pytest

import continuum.integrator
from continuum import ContinuumConfig, Frames, TransSlitFlux, run
from continuum.frames import SERIES, thin
from continuum.integrator import TimeIntegrator
from transslit import BadInput, SlitNetwork, StageFailed, TriangularCV
from transslit.progress import Progress

QUIET = Progress(quiet=True)
NETWORK = SlitNetwork(slit=1e-9, layers=2, slit_length=3e-9, reservoir_length=3e-9)
SWEEP = TriangularCV(scan_rate=1e6, window=0.4)


class Listening(Progress):
    """Keeps what is said."""

    def __init__(self):
        super().__init__(quiet=True)
        self.said = []

    def say(self, text):
        self.said.append(text)


@pytest.fixture(scope="module")
def config(kcl):
    return ContinuumConfig(
        network=NETWORK, electrolyte=kcl, drive=SWEEP, steps=20, surface_cell=2e-10, checkpoint_every=4
    )


@pytest.fixture(scope="module")
def whole(config, tmp_path_factory):
    """Folder and record of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(config, folder, QUIET)


@pytest.fixture
def copied(whole, tmp_path):
    """A copy of its frames, to be damaged."""
    path = tmp_path / "frames.h5"
    path.write_bytes((whole[0] / "frames.h5").read_bytes())
    return path


@pytest.fixture
def begun(config, tmp_path):
    """Folder of a run that was killed after 13 steps, with three checkpoints."""
    integrator = TimeIntegrator(config, tmp_path)
    for _ in range(13):
        integrator._advance()
    return tmp_path


def segments(folder):
    return sorted(folder.glob("segment-*.npz"))


def numbers(folder):
    with Frames(folder) as frames:
        return {name: frames._file[name][:] for name in SERIES}


def flip(path, place, bit=0):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def reduced(path):
    with Frames(path) as frames:
        return TransSlitFlux(frames).run().results.record


def refused(path):
    """The one line that reducing `path` ends in."""
    with pytest.raises(BadInput) as caught:
        reduced(path)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"frames: {path}: ")
    return line


# ---------------------------------------------------------------------- frames.h5


@pytest.mark.parametrize("name", SERIES)
def test_a_flipped_bit_in_the_frames_is_refused(copied, name):
    """One bit in the middle of each dataset, in the mantissa and in the exponent of a number."""
    with h5py.File(copied) as file:
        last = file[name].id.get_num_chunks() - 1
        chunk = file[name].id.get_chunk_info(last // 2)
    for place, bit in ((0, 0), (7, 6)):
        flip(copied, chunk.byte_offset + chunk.size // 16 * 8 + place, bit)
        assert ("frames of a run" if name == "time_s" else "is damaged") in refused(copied)
        flip(copied, chunk.byte_offset + chunk.size // 16 * 8 + place, bit)
    with Frames(copied) as frames:
        assert len(frames) == 21  # whole again


def content(path):
    """All that a file says, or the line that refuses it."""
    try:
        with Frames(path) as frames:
            return repr([frames.config, frames.complete, [vars(frame) for frame in frames]])
    except BadInput as error:
        return str(error)


def test_a_flipped_bit_anywhere_is_refused_or_means_nothing(copied):
    """Flips all over the file, its structure and attributes among them: the same content, or one line."""
    raw, found = copied.read_bytes(), []
    with np.printoptions(threshold=np.inf, floatmode="unique"):
        expected = content(copied)
        for place in [*np.random.default_rng(1).integers(0, len(raw), 150).tolist(), *range(0, 2048, 16)]:
            flip(copied, place, place % 8)
            found.append(content(copied))
            copied.write_bytes(raw)
    lines = [text for text in found if text != expected]
    assert all(line.startswith(f"frames: {copied}: ") and "\n" not in line for line in lines)
    assert len(lines) > 150


def altered(path, **changed):
    """Rewrite datasets of `path`; None removes one."""
    with h5py.File(path, "r+") as file:
        for name, values in changed.items():
            del file[name]
            if values is not None:
                file[name] = values


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("time_s", lambda values: values[:-1]),
        ("time_s", lambda values: values[:0]),
        ("time_s", lambda values: values[:, None]),
        ("phi_V", lambda values: values[:-1]),
        ("phi_V", lambda values: values[:, :-1]),
        ("phi_V", lambda values: values.astype(int)),
        ("phi_V", lambda values: values[0, 0]),
        ("c_mol_per_m3", lambda values: values[:, :1]),
        ("c_mol_per_m3", lambda values: values[:, :, :-1]),
        ("c_mol_per_m3", lambda values: values.reshape(len(values), -1)),
        ("c_mol_per_m3", lambda values: values.astype("S")),
        ("drive", lambda values: values[:3]),
        ("I_m_A_per_m", lambda values: None),
        ("electrode_C_per_m", lambda values: values > 0),
    ],
)
def test_frames_of_wrong_shapes_are_refused(copied, name, change):
    with h5py.File(copied) as file:
        values = file[name][:]
    altered(copied, **{name: change(values)})
    assert any(words in refused(copied) for words in ("of the shape", "doesn't exist", "cells, "))


def test_a_group_in_place_of_a_dataset_is_refused(copied):
    with h5py.File(copied, "r+") as file:
        del file["phi_V"]
        file.create_group("phi_V")
    refused(copied)


def test_refused_frames_are_closed(copied):
    altered(copied, drive=None)
    refused(copied)
    with h5py.File(copied, "r+") as file:  # HDF5 opens no file to write that is open to read
        file.attrs["free"] = True


def test_damaged_frames_are_not_thinned(copied):
    with h5py.File(copied) as file:
        place = file["phi_V"].id.get_chunk_info(4).byte_offset
    flip(copied, place)
    with Frames(copied) as frames, pytest.raises(BadInput, match="damaged"):
        thin(frames, 2)


def test_frames_of_earlier_versions_are_read(copied, whole):
    """Without checksums, and with the configuration as text of any length."""
    values = numbers(whole[0])
    with Frames(whole[0]) as frames, h5py.File(copied, "w") as file:
        file.attrs["config"], file.attrs["complete"] = frames.config.model_dump_json(), True
        for name in SERIES:
            file[name] = values[name]
    assert reduced(copied).crossings.equals(whole[1].crossings)


# ---------------------------------------------------------------------- checkpoints


def torn(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path):
    path.write_bytes(b"")


def flipped(path):
    flip(path, path.stat().st_size // 2, 3)


def rewritten(change):
    """A damage that the zip file's own checksums do not see: `change` of the arrays."""

    def damage(path):
        with np.load(path) as saved:
            arrays = {name: saved[name] for name in saved.files}
        change(arrays)
        np.savez(path, **arrays)

    return damage


def with_state(**changed):
    def change(arrays):
        arrays["state"] = json.dumps(json.loads(str(arrays["state"])) | changed)

    return rewritten(change)


def item(name, value):
    return rewritten(lambda arrays: arrays.update({name: value(arrays[name])}))


DAMAGES = {
    "torn": torn,
    "emptied": emptied,
    "flipped": flipped,
    "no state": rewritten(lambda arrays: arrays.pop("state")),
    "state is no JSON": rewritten(lambda arrays: arrays.update(state="{")),
    "no past": rewritten(lambda arrays: arrays.pop("past_time")),
    "past of no instants": rewritten(
        lambda arrays: arrays.update({name: arrays[name][:0] for name in ("past_time", "past_x", "past_drive")})
    ),
    "past of another mesh": item("past_x", lambda x: x[:, :-1]),
    "past is NaN": item("past_x", lambda x: x * np.nan),
    "past without ions": item("past_x", lambda x: 0 * x),
    "a series is shorter": item("phi_V", lambda x: x[:-1]),
    "a series is text": item("drive", lambda x: x.astype("U")),
    "a series is infinite": item("I_m_A_per_m", lambda x: x + np.inf),
    "no step": item("proposed", lambda x: x * np.nan),
    "no cycle": item("cycle_start", lambda x: x[:0]),
    "frames miscounted": with_state(frames=11),
    "steps are text": with_state(steps="many"),
    "a key too many": with_state(more=1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_checkpoint_is_kept_and_solved_again(config, whole, begun, damage):
    """The run continues from the checkpoint before and ends in the numbers of an undisturbed one, to the last bit."""
    *_, before, last = segments(begun)
    with np.load(before) as saved:
        reached = saved["past_time"][0]
    DAMAGES[damage](last)
    content, kept = last.read_bytes(), last.with_name(f"{last.name}.unreadable")
    progress = Listening()
    record = run(config, begun, progress)
    assert kept.read_bytes() == content
    (line,) = progress.said
    assert str(last) in line
    assert kept.name in line
    assert "\n" not in line
    assert line.endswith(f"continued from t = {reached:.6g} s")
    for table in ("crossings", "slits", "terminal"):
        assert getattr(record, table).equals(getattr(whole[1], table))
    expected = numbers(whole[0])
    assert all(np.array_equal(values, expected[name], equal_nan=True) for name, values in numbers(begun).items())


def test_checkpoints_after_a_damaged_one_are_kept_too(config, whole, begun):
    """The first of three is torn: frames without those before them are of no use, and nothing is deleted."""
    contents = {path.name: path.read_bytes() for path in segments(begun)[1:]}
    torn(segments(begun)[0])
    (begun / f"{segments(begun)[0].name}.unreadable").write_bytes(b"of an earlier time")
    record = run(config, begun, QUIET)
    assert record.crossings.equals(whole[1].crossings)
    for name, content in contents.items():
        assert (begun / f"{name}.unreadable").read_bytes() == content
    assert len(list(begun.glob("*.unreadable*"))) == 4
    assert not segments(begun)


def test_a_checkpoint_without_the_one_before_is_not_used(config, whole, begun):
    segments(begun)[1].rename(begun / "elsewhere")
    assert run(config, begun, QUIET).crossings.equals(whole[1].crossings)
    assert len(list(begun.glob("*.unreadable"))) == 1


def test_a_renamed_checkpoint_is_not_used(config, whole, begun):
    """Frames are joined in the order of the names."""
    segments(begun)[-1].rename(begun / "segment-0000099.npz")
    assert run(config, begun, QUIET).crossings.equals(whole[1].crossings)
    assert (begun / "segment-0000099.npz.unreadable").exists()


def test_checkpoint_of_another_configuration_is_refused_and_kept(config, begun):
    names = segments(begun)
    with pytest.raises(BadInput, match="another configuration"):
        run(config.model_copy(update={"refinement": 1.5}), begun, QUIET)
    assert segments(begun) == names


def test_checkpoint_that_may_not_be_read_is_refused_and_kept(config, begun, monkeypatch):
    def denied(path):
        raise PermissionError(13, "Permission denied")

    names = segments(begun)
    monkeypatch.setattr(continuum.integrator.np, "load", denied)
    with pytest.raises(BadInput, match="may not be read"):
        run(config, begun, QUIET)
    assert segments(begun) == names


def test_checkpoint_damaged_while_the_run_goes_on_ends_in_one_line(config, begun):
    integrator = TimeIntegrator(config, begun)
    torn(segments(begun)[1])
    with pytest.raises(StageFailed, match=r"^continuum: .*segment-0000008.npz cannot be read \(.*again$"):
        integrator.run(QUIET)
