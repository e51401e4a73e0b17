"""Options of the classifiers of arrays: learning rates by hand, tuples from text, errors of one sentence."""

import math

import pytest

from litotes.core.errors import LitotesError
from litotes.training.array_options import ArrayOptions


def rates(epochs, steps, **options):
    factor = ArrayOptions(num_train_epochs=epochs, **options).rates(steps)
    return [factor(step) for step in range(epochs * steps)]


def test_constant():
    assert rates(2, 3) == [1.0] * 6


def test_linear_goes_to_zero():
    assert rates(2, 2, schedule="linear") == [1.0, 0.75, 0.5, 0.25]


def test_steps_multiply_after_shares_of_the_epochs():
    found = rates(4, 2, schedule="steps", step_at=(0.5, 0.75), step_factor=0.1)
    assert found == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])


def test_the_paper_s_milestones_are_whole_epochs():
    found = rates(120, 1, schedule="steps", step_at=(1 / 3, 2 / 3), step_factor=0.01)
    assert [epoch for epoch in range(1, 120) if found[epoch] != found[epoch - 1]] == [40, 80]


def test_cosine_with_restarts_moves_by_epochs_between_one_and_its_floor():
    found = rates(20, 2, schedule="cosine-restarts", restart_epochs=10, restart_floor=0.05)
    by_epoch = found[::2]
    assert found[1::2] == by_epoch
    expected = [0.05 + 0.95 * (1 + math.cos(math.pi * epoch / 10)) / 2 for epoch in range(10)]
    assert by_epoch == pytest.approx(expected * 2)
    assert by_epoch[0] == by_epoch[10] == 1.0


def test_tuples_as_the_command_line_gives_them():
    options = ArrayOptions(hidden="512, 256", step_at="0.8")
    assert options.hidden == (512, 256) and options.step_at == (0.8,)
    assert ArrayOptions(hidden=32).hidden == (32,)
    assert ArrayOptions(hidden="").hidden == ()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"hidden": "512,x"}, "The 'hidden.1' option of ArrayOptions: Input should be a valid integer"),
        ({"hidden": (0,)}, "The 'hidden' option of ArrayOptions: Value error, every width is 1 at least"),
        ({"learning_rate": 0}, "The 'learning_rate' option of ArrayOptions: Input should be greater than 0. Got 0 ins"),
        ({"schedule": "cosine"}, "The 'schedule' option of ArrayOptions: Input should be 'constant', 'linear', 'step"),
        ({"lerning_rate": 0.1}, "ArrayOptions has no option 'lerning_rate'. Did you mean 'learning_rate'?"),
    ],
)
def test_what_is_refused(words, said):
    with pytest.raises(LitotesError) as error:
        ArrayOptions(**words)
    assert str(error.value).startswith(said)
