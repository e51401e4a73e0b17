"""Where an audit may be written."""

import os

import pytest

from litotes.auditing.own_folder import check_outside
from litotes.core import Collection
from litotes.core.errors import LitotesError
from tests.unit.auditing.audit_data import library


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Data that were read from ``data``."""
    monkeypatch.chdir(tmp_path)
    os.makedirs("data/qrels")
    os.symlink("data", "link")
    made = library()
    return Collection(made.labels, made.rows.table, made.cols.table, origin="data")


@pytest.mark.parametrize("out", ["data", "data/", "./data/../data", "link", "data/qrels", "data/new/deep", "link/new"])
def test_the_folder_of_the_data_and_all_in_it_are_refused(data, out):
    with pytest.raises(LitotesError, match="the folder of the data, data. Name a folder of its own"):
        check_outside(out, data)


@pytest.mark.parametrize("out", ["audit", "data2", ".", "../data"])
def test_any_other_is_fine(data, out):
    check_outside(out, data)


@pytest.mark.parametrize("origin", ["", "a DataFrame", "builtin:pydocs"])
def test_data_of_no_folder_leave_every_folder_free(data, origin):
    check_outside("data", Collection(data.labels, data.rows.table, data.cols.table, origin=origin))
