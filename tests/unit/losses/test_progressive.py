"""PEG's loss as sentence-transformers calls it: by hand, in mini-batches, with ids, and in its trainer."""

from pathlib import Path

import pytest
import torch
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from torch import nn
from torch.nn import functional as F

from litotes.core.errors import LitotesError
from litotes.losses import InfoNCELoss, ProgressiveInfoNCELoss, tiled_info_nce
from litotes.models.loading import load_sentence_transformer
from litotes.models.word_bag import word_bag
from tests.unit.losses.stand_ins import PassThrough, features, small_data, vectors

B, H, DIM = 3, 2, 4
LABELS = torch.tensor([[0, 0, 5, 4], [1, 2, 1, -1], [2, 3, 4, 0]])


def columns(seed: int = 0) -> list[torch.Tensor]:
    return [vectors(B, DIM, seed=seed + i).requires_grad_() for i in range(2 + H)]


def loss_of(given: list[torch.Tensor], labels: torch.Tensor | None = None, **options) -> tuple[torch.Tensor, list]:
    data = small_data() if labels is not None else None
    loss = ProgressiveInfoNCELoss(PassThrough(), data, **options)(features(*given), labels)
    return loss, list(torch.autograd.grad(loss, given)) if options.get("mini_batch_size", 32) is None else []


def backward(given: list[torch.Tensor], labels: torch.Tensor | None = None, **options) -> tuple[torch.Tensor, list]:
    """Gradient caching goes on in a hook, so the gradients lie at the leaves."""
    given = [x.detach().clone().requires_grad_() for x in given]
    data = small_data() if labels is not None else None
    loss = ProgressiveInfoNCELoss(PassThrough(), data, **options)(features(*given), labels)
    (3 * loss).backward()
    return loss.detach(), [x.grad / 3 for x in given]


@pytest.mark.parametrize("size", [None, 1, 2, 32])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beta": 2.0, "which": "hard_negatives"},
        {"beta": 1.0, "level": "query"},
        {"similarity": "dot", "margin": 0.5},
    ],
    ids=str,
)
def test_is_the_tiled_loss_of_all_documents_of_the_batch(options: dict, size: int | None):
    given = columns()
    documents = torch.stack(given[1:], dim=1).flatten(0, 1)  # query by query
    how = {name: value for name, value in options.items() if name != "similarity"}
    expected = tiled_info_nce(given[0], documents, temperature=0.1, normalize="similarity" not in options, **how)
    found, gradients = backward(given, temperature=0.1, mini_batch_size=size, **options)
    torch.testing.assert_close(found, expected.detach())
    torch.testing.assert_close(gradients, list(torch.autograd.grad(expected, given)))


@pytest.mark.parametrize("size", [None, 2])
def test_leaves_out_known_positives_and_empty_places_as_the_dense_loss_does(size: int | None):
    given = columns()
    found, gradients = backward(given, LABELS, temperature=0.1, mini_batch_size=size)
    dense = InfoNCELoss(PassThrough(), small_data(), temperature=0.1)(features(*given), LABELS)
    torch.testing.assert_close(found, dense.detach())
    torch.testing.assert_close(gradients, list(torch.autograd.grad(dense, given)))
    assert found != backward(given, temperature=0.1)[0]


def test_symmetric_masks_queries_that_know_the_document():
    given = columns()
    labels = torch.tensor([[0, 0], [0, 1], [2, 3]])  # queries 0 and 1 know each other's positive
    found, _ = backward(given[:2], labels, temperature=0.1, symmetric=True, mini_batch_size=None)
    s = F.normalize(given[0]) @ F.normalize(given[1]).T / 0.1
    s = s.index_put((torch.tensor([0, 1]), torch.tensor([1, 0])), torch.tensor(-torch.inf, dtype=s.dtype))
    place = torch.arange(B)
    torch.testing.assert_close(found, ((F.cross_entropy(s, place) + F.cross_entropy(s.T, place)) / 2).detach())


def test_beta_is_an_attribute_that_a_schedule_sets():
    loss = ProgressiveInfoNCELoss(PassThrough(), temperature=0.1, mini_batch_size=None)
    given = columns()
    loss.beta = 4.0
    torch.testing.assert_close(
        loss(features(*given)), loss_of(given, temperature=0.1, beta=4.0, mini_batch_size=None)[0]
    )
    assert loss.get_config_dict()["beta"] == 4.0


@pytest.mark.parametrize("size", [None, 2])
def test_a_loss_that_is_no_number_is_refused_before_anything_is_learnt(size: int | None):
    given = columns()
    with torch.no_grad():
        given[0] *= 1e200
        given[1] *= 1e200
    loss = ProgressiveInfoNCELoss(PassThrough(), beta=1.5, temperature=0.1, similarity="dot", mini_batch_size=size)
    why = r"The loss is (nan|inf), with temperature 0.1 and beta 1.5; the encoder's vectors are finite. Lower the le"
    with pytest.raises(LitotesError, match=why):
        loss(features(*given))
    given[2].detach()[0, 0] = torch.nan
    loss.where = "step 3 of 8, learning rate 0.01"
    why = r"The loss is nan at step 3 of 8, learning rate 0.01, with .* the encoder's vectors are not all finite either"
    with pytest.raises(LitotesError, match=why):
        loss(features(*given))
    assert all(x.grad is None for x in given)


def test_without_gradients_it_is_only_a_value():
    given = columns()
    with torch.no_grad():
        found = ProgressiveInfoNCELoss(PassThrough(), mini_batch_size=2)(features(*given))
    torch.testing.assert_close(found, backward(given)[0])
    assert not found.requires_grad


def test_gradient_caching_of_a_transformer_is_its_one_shot_gradient_also_with_the_same_dropout(tmp_path: Path):
    torch.manual_seed(0)
    model = load_sentence_transformer("tiny:bert").double()
    assert any(m.p > 0 for m in model.modules() if isinstance(m, nn.Dropout)), "without dropout nothing is tested"
    texts = [["one", "two words", "three of them", "x"], ["a", "b c", "d", "e f"], ["g", "h", "i j", "k"]]
    batch = [model.preprocess(column) for column in texts]

    def gradients(size: int | None, training: bool) -> list[torch.Tensor]:
        model.train(training)
        model.zero_grad()
        torch.manual_seed(3)
        copies = [dict(column) for column in batch]
        ProgressiveInfoNCELoss(model, mini_batch_size=size, beta=1.0)(copies).backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    torch.testing.assert_close(gradients(3, training=False), gradients(None, training=False), rtol=1e-8, atol=1e-12)
    # one mini-batch a column draws dropout in the order of one shot; a pass that drew again would not
    torch.testing.assert_close(gradients(100, training=True), gradients(None, training=True), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("with_ids", [True, False], ids=["ids", "no ids"])
def test_trains_in_sentence_transformers(with_ids: bool, tmp_path: Path):
    torch.manual_seed(0)
    model, data = load_sentence_transformer("tiny:bert"), small_data()
    pairs = data.pairs() if with_ids else data.pairs().remove_columns("label")
    args = SentenceTransformerTrainingArguments(
        output_dir=str(tmp_path), num_train_epochs=1, per_device_train_batch_size=4, report_to="none", use_cpu=True,
        learning_rate=1e-2, logging_strategy="no", save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    before = {name: value.clone() for name, value in model.state_dict().items()}
    loss = ProgressiveInfoNCELoss(model, data if with_ids else None, mini_batch_size=2, beta=1.0)
    SentenceTransformerTrainer(model=model, args=args, train_dataset=pairs, loss=loss).train()
    assert any(not torch.equal(before[name], value) for name, value in model.state_dict().items())


NUMBERS = [
    {"temperature": 0.0},
    {"beta": float("nan")},
    {"mini_batch_size": 0},
    {"margin": float("inf")},
    {"ratio": 0.0},
    {"max_bytes": 1},
]
WORDS = [{"which": "hard"}, {"similarity": "cos"}, {"level": "row"}, {"weight_norm": "sum"}]


class TestRefused:
    def test_static_word_vectors_in_mini_batches(self):
        model = word_bag(small_data())
        assert isinstance(model, SentenceTransformer)
        with pytest.raises(
            LitotesError, match="static word vectors cannot be cut into mini-batches. Pass mini_batch_size"
        ):
            ProgressiveInfoNCELoss(model)
        loss = ProgressiveInfoNCELoss(model, mini_batch_size=None)
        assert not loss.uses_gradient_cache
        batch = [model.preprocess(["alpha", "beta"], task=task) for task in ("query", "document")]
        loss(batch).backward()

    def test_one_column(self):
        with pytest.raises(LitotesError, match="ProgressiveInfoNCELoss takes the columns anchor.* Got 1 column"):
            ProgressiveInfoNCELoss(PassThrough())(features(vectors(3, 4)))

    def test_a_mask_of_the_batch(self):
        with pytest.raises(LitotesError, match="ProgressiveInfoNCELoss as torch.bool .* would not fit in memory"):
            loss_of(columns(), torch.ones(B, B * (1 + H), dtype=torch.bool), mini_batch_size=None)

    @pytest.mark.parametrize("bad", [*NUMBERS, *WORDS], ids=str)
    def test_bad_parameters_at_construction(self, bad: dict, unchecked_shapes: None):
        with pytest.raises(LitotesError, match=f"{next(iter(bad))!r} parameter of ProgressiveInfoNCELoss"):
            ProgressiveInfoNCELoss(PassThrough(), **bad)
