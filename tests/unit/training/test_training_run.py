"""A training in its run folder: gone on with when nothing differs, refused by name when something does."""

from types import SimpleNamespace

import pytest

from litotes.core import RunFolder
from litotes.core.errors import StaleError
from litotes.training.training_run import ReportTraining, TrainingRun

CONFIG = {"learning_rate": 0.1, "seed": 3}


def test_a_run_goes_on_until_it_is_finished(tmp_path):
    job = TrainingRun(tmp_path, "star", CONFIG, {"data": "a"})
    assert not job.done
    (job.checkpoints / "checkpoint-2").mkdir(parents=True)
    again = TrainingRun(tmp_path, "star", CONFIG, {"data": "a"})
    again.finish({"steps": 7})
    assert again.done and not again.checkpoints.exists()
    entry = RunFolder.open(tmp_path).stages["train/star"]
    assert entry["summary"] == {"steps": 7} and entry["config"] == CONFIG and entry["seed"] == 3
    again.checkpoints.mkdir()  # as if it had been killed just before it was removed
    assert TrainingRun(tmp_path, "star", CONFIG, {"data": "a"}).done and not again.checkpoints.exists()


@pytest.mark.parametrize(
    ("config", "parts", "words"),
    [
        ({**CONFIG, "learning_rate": 0.2}, {"data": "a"}, r"another learning_rate \(0.1 there, 0.2 now\)\."),
        (CONFIG, {"data": "b"}, r"another data \(a there, b now\)\."),
        ({**CONFIG, "seed": 4}, {"data": "b" * 32}, r"another data, another seed \(3 there, 4 now\)\."),
    ],
)
def test_what_differs_is_named(tmp_path, config, parts, words):
    TrainingRun(tmp_path, "star", CONFIG, {"data": "a"})
    with pytest.raises(StaleError, match=f"holds a model that was trained with {words}"):
        TrainingRun(tmp_path, "star", config, parts)


def test_two_models_do_not_share_a_folder(tmp_path):
    TrainingRun(tmp_path, "star", CONFIG, {})
    with pytest.raises(StaleError, match="holds a model of train/star. Train into another folder"):
        TrainingRun(tmp_path, "adore", CONFIG, {})


def test_what_the_trainer_logs_is_a_line_each(tmp_path):
    run = RunFolder.open(tmp_path)
    report, state = ReportTraining(run), SimpleNamespace(global_step=4, max_steps=9)
    report.on_train_begin(None, state, None)
    report.on_step_end(None, state, None)
    report.on_log(None, state, None, logs={"loss": 0.5})
    report.on_train_end(None, state, None)
    assert '"event": "training", "step": 4, "loss": 0.5' in (tmp_path / "log.jsonl").read_text()
