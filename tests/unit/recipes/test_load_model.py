"""Loading by the run folder: the recipe that trained it reads it; anything else is one sentence."""

import pytest

from litotes.core import RunFolder
from litotes.core.errors import LitotesError
from litotes.recipes.load_model import load_model
from litotes.training import TrainingRun


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(LitotesError, match="not a run folder"):
        load_model(tmp_path)


def test_a_run_without_a_model_is_refused(tmp_path):
    RunFolder.open(tmp_path).stage("candidates/bm25", verb="mine", config={}, fingerprints={}, shards=0)
    with pytest.raises(LitotesError, match="no model was trained into it. It holds: candidates/bm25"):
        load_model(tmp_path)


def test_an_unfinished_model_is_refused_with_the_command_that_finishes_it(tmp_path):
    TrainingRun(tmp_path, "star", {}, {})
    with pytest.raises(LitotesError, match=f"not finished. Go on with: litotes resume {tmp_path}"):
        load_model(tmp_path)


def test_an_unknown_command_is_refused(tmp_path):
    TrainingRun(tmp_path, "stat", {}, {}).finish({})
    with pytest.raises(LitotesError, match="no training command 'stat'. Did you mean 'star'"):
        load_model(tmp_path)
