"""A saved fit that is damaged is told by one check, in one message."""

import gzip
import json
from pathlib import Path

import h5py
import pytest
import xarray as xr

from densing_bayes import Fit, load_hypothesis
from densing_bayes.corollaries.scaling.model import LawFit, is_law_file
from densing_bayes.errors import DensingError, FileFormatError
from densing_bayes.quantities.labels import before_after, benchmark_label


def no_group(name):
    def damage(tree):
        del tree[name]

    return damage


def no_variable(tree):
    tree["posterior"] = xr.DataTree(tree["posterior"].to_dataset().drop_vars("log_density"))


def attribute(name, change):
    def damage(tree):
        tree.attrs[name] = json.dumps(change(json.loads(tree.attrs[name])))

    return damage


def nan_time(observations):
    observations["time"][3] = float("nan")
    return observations


@pytest.mark.fit
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (no_group("posterior"), "no group 'posterior'"),
        (no_group("diagnostics"), "no group 'diagnostics'"),
        (no_variable, "'log_density' is missing"),
        (attribute("diagnostics", lambda _: {}), "diagnostics have no 'rhat_max'"),
        (attribute("diagnostics", lambda _: []), "diagnostics are no table"),
        (attribute("diagnostics", lambda d: d | {"verdict": "GOOD"}), "unknown verdict 'GOOD'"),
        (attribute("provenance", lambda _: {}), "provenance have no 'seed'"),
        (attribute("observations", nan_time), "a time that is not a number"),
        (attribute("spec", lambda _: {}), "validation errors for ModelSpec"),
        (lambda tree: tree.attrs.update(format="densing_bayes fit 1"), "another version"),
    ],
)
def test_a_damaged_fit_is_told_on_load(damage, said, small_fit_file, tmp_path):
    tree = xr.open_datatree(small_fit_file, engine="h5netcdf").load()
    damage(tree)
    path = tmp_path / "damaged.nc"
    tree.to_netcdf(path, engine="h5netcdf")
    with pytest.raises(FileFormatError, match=said) as error:
        Fit.load(path)
    assert str(path) in str(error.value) and "fit again" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_files_that_may_not_be_read_are_not_called_damaged(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "secret"
    path.write_text("name = 'x'", encoding="utf-8")
    monkeypatch.setattr(h5py, "File", refuse)
    monkeypatch.setattr(Path, "read_text", refuse)
    for load in (Fit.load, LawFit.load, load_hypothesis):
        with pytest.raises(DensingError, match=r"secret:? cannot be read: [Pp]ermission denied$"):
            load(path)


def test_of_a_file_of_another_kind_only_the_root_is_read(tmp_path, monkeypatch):
    path = tmp_path / "deep.nc"
    with h5py.File(path, "w") as file:
        group = file
        for _ in range(1000):
            group = group.create_group("g")
    monkeypatch.setattr(xr, "open_datatree", lambda *_, **__: pytest.fail("opens all its groups"))
    with pytest.raises(FileFormatError, match="not a fit saved by densing_bayes"):
        Fit.load(path)
    assert not is_law_file(path)


@pytest.mark.fit
def test_a_fit_without_prior_draws_says_so(small_fit_file, tmp_path):
    tree = xr.open_datatree(small_fit_file, engine="h5netcdf").load()
    del tree["prior"]
    tree.to_netcdf(tmp_path / "bare.nc", engine="h5netcdf")
    with pytest.raises(Exception, match="no prior draws"):
        _ = Fit.load(tmp_path / "bare.nc").prior


def test_a_fit_that_an_earlier_version_saved_loads(tmp_path):
    """Of one benchmark and few draws; it knows no labels of benchmarks and changes."""
    path = tmp_path / "before.nc"
    path.write_bytes(gzip.decompress(Path(__file__).with_name("saved_before.nc.gz").read_bytes()))
    fit = Fit.load(path)
    assert fit.spec.hash == fit.provenance["spec_hash"]
    assert fit.observed.hash() == fit.provenance["data_hash"]
    assert fit.observed.labels == ()
    assert benchmark_label("hellaswag", fit.observed) == "HellaSwag"
    assert before_after(fit) == ("before ChatGPT", "after ChatGPT")
    again = Fit.load(fit.save(tmp_path / "again.nc"))
    xr.testing.assert_identical(again.posterior, fit.posterior)
