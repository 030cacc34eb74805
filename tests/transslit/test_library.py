"""Where electrolytes are found, and which one is used where two have a name."""

import warnings
from pathlib import Path

import pytest

from transslit import BadInput, load_electrolyte
from transslit.library import NameClash, known, shipped, user_folder


@pytest.fixture
def own(tmp_path, monkeypatch):
    """An empty folder of the user's own electrolytes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user_folder().mkdir(parents=True)
    return user_folder()


def copy(name, path, title):
    text = shipped()[name].read_text(encoding="utf-8").splitlines()
    lines = [f'title = "{title}"' if line.startswith("title") else line for line in text]
    path.write_text("\n".join(lines), encoding="utf-8")


def package(folder, points):
    """A distribution called saltworks, as an installer leaves it, with entry points into its module."""
    (folder / "saltworks.py").write_text(
        'from pathlib import Path\nHERE = Path(__file__).parent\ndef brine():\n    return HERE / "brine.toml"\n'
    )
    copy("NaCl", folder / "brine.toml", "of a package")
    info = folder / "saltworks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: saltworks\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[transslit.electrolytes]\n" + "\n".join(points) + "\n")


def test_the_users_folder_is_searched(own):
    copy("KCl", own / "Brine.toml", "mine")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_electrolyte("Brine").title == "mine"
    assert "Brine" in known()


def test_entry_points_of_other_packages_are_found(own, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    package(tmp_path, ["Brine = saltworks:brine", "Broken = saltworks:nothing"])
    assert load_electrolyte("Brine").title == "of a package"
    with pytest.raises(BadInput, match="the package saltworks cannot be loaded"):
        load_electrolyte("Broken")


def test_a_clash_says_which_is_used(own, tmp_path, monkeypatch):
    """The user's own before a package's before the shipped one; asking by path is never a clash."""
    monkeypatch.syspath_prepend(tmp_path)
    package(tmp_path, ["KCl = saltworks:brine"])
    with pytest.warns(NameClash, match=r"the package saltworks, .*brine.toml; not that of transslit"):
        assert load_electrolyte("KCl").title == "of a package"
    copy("KCl", own / "KCl.toml", "mine")
    with pytest.warns(NameClash, match=r"the user's folder, .*not that of the package saltworks and transslit"):
        assert load_electrolyte("KCl").title == "mine"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "paper" in load_electrolyte(str(shipped()["KCl"])).title


def test_a_user_without_a_home_folder_finds_what_is_shipped(monkeypatch):
    """A user id that no account has, as in many containers."""

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert user_folder() is None
    assert set(shipped()) <= set(known())
    assert load_electrolyte("KCl").names == ("K", "Cl")


def test_a_folder_that_cannot_be_looked_into_has_none(monkeypatch):
    """No system takes so long a name; another user's home folder fails alike."""
    monkeypatch.setenv("XDG_CONFIG_HOME", "/" + 5000 * "x")
    assert load_electrolyte("KCl").names == ("K", "Cl")
