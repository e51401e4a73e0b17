"""AR2's losses: the identities of its page, the closed-form gradients, each trap and edge case that concerns them."""

import math
from pathlib import Path

import datasets
import pytest
import torch
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

from litotes.core.errors import LitotesError
from litotes.losses import Ar2Loss, ar2_loss, ar2_ranker_loss, ar2_scores, ar2_terms
from litotes.losses.ar2 import OFFICIAL_EPS
from litotes.models.loading import load_sentence_transformer
from litotes.testing import Check, check_loss
from tests.unit.losses.stand_ins import PassThrough, features, vectors

B, M = 4, 5
FORMS = ("expected", "official")


def lists(seed: int = 0, spread: float = 2.0):
    """Scores with gradient, and the ranker's logits."""
    return (spread * vectors(B, M, seed=seed)).requires_grad_(), spread * vectors(B, M, seed=seed + 100)


def gradient(loss, *inputs):
    return torch.autograd.grad(loss, inputs, allow_unused=True)


def make_inputs(form):
    def make(generator):
        keep = torch.ones(3, M, dtype=torch.bool)
        keep[0, 2] = keep[1, 3:] = False
        keep[2, 1:] = False  # a list of the positive alone
        scores, logits = (torch.randn(3, M, generator=generator) for _ in range(2))
        return {
            "scores": scores,
            "ranker_logits": logits.double().where(keep, torch.nan),  # no number where nothing is read
            "keep": keep,
            "adv_form": form,
            "adv_lambda": 0.3,
            "temperature": 0.7,
        }

    return make


def loop(scores, ranker_logits, keep, adv_form, adv_lambda, temperature):
    """The loss by its definition, one candidate after the other."""
    adversarial = distillation = 0.0
    for s, r, kept in zip(scores.tolist(), ranker_logits.tolist(), keep.tolist(), strict=True):
        places = [i for i in range(len(s)) if kept[i]]
        p = {i: math.exp(s[i]) / sum(math.exp(s[j]) for j in places) for i in places}
        target = {i: math.exp(r[i] / temperature) / sum(math.exp(r[j] / temperature) for j in places) for i in places}
        beats = {i: 1 / (1 + math.exp(r[i] - r[0])) for i in places}
        if adv_form == "official":
            adversarial += sum(math.log(beats[i] + 1e-7) * math.log(p[i] + 1e-7) for i in places)
            distillation -= sum(target[i] * math.log(p[i] + 1e-7) for i in places)
        else:
            mass = sum(math.exp(s[i]) for i in places if i > 0)
            adversarial += sum(math.exp(s[i]) / mass * math.log(beats[i]) for i in places if i > 0) / len(scores)
            distillation -= sum(target[i] * math.log(p[i]) for i in places)
    return adv_lambda * adversarial + (1 - adv_lambda) * distillation / len(scores)


COLUMN_0 = "column 0 is the positive: permuting the negatives is tested instead"
CHECKS = [
    *(
        (f"ar2_loss, {form}", check)
        for form in FORMS
        for check in check_loss(
            ar2_loss,
            make_inputs(form),
            promises={
                "differentiable": "scores",
                "direction": +1,
                "masked": {"keep": "scores"},
                **({"row_wise": True} if form == "expected" else {}),
            },
            left_out={
                "permutable": COLUMN_0,
                **({} if form == "expected" else {"row_wise": "the adversarial term is a sum over queries"}),
            },
            reference=loop,
            measure=lambda x: -torch.tensor(loop(**x)),
        )
    ),
    *(
        ("ar2_ranker_loss", check)
        for check in check_loss(
            ar2_ranker_loss,
            lambda generator: {
                "ranker_logits": torch.randn(3, M, generator=generator),
                "keep": torch.arange(M)[None] < torch.tensor([[5], [3], [1]]),
            },
            promises={"row_wise", "differentiable", "direction", "masked"},
            left_out={"permutable": COLUMN_0},
            reference=lambda ranker_logits, keep: (
                sum(
                    math.log(sum(math.exp(x) for x, kept in zip(r, k, strict=True) if kept)) - r[0]
                    for r, k in zip(ranker_logits.tolist(), keep.tolist(), strict=True)
                )
                / 3
            ),
            measure=lambda x: (x["ranker_logits"][:2, 0] - x["ranker_logits"][:2, 1]).min(),
        )
    ),
]


@pytest.mark.parametrize("check", [pytest.param(check, id=f"{name}-{check}") for name, check in CHECKS])
def test_promises(check: Check):
    check()


class TestClosedFormGradients:
    """The gradients that the page gives for the scores."""

    @pytest.mark.parametrize("spread", [1.0, 12.0])
    def test_official_with_eps(self, spread):
        scores, logits = lists(1, spread)
        found = ar2_terms(scores, logits, adv_form="official", temperature=2.0)
        p = scores.softmax(1)
        k = p / (p + OFFICIAL_EPS)
        g, u = found.reward * k, (logits / 2).softmax(1) * k
        (adversarial,), (distillation,) = gradient(found.adversarial, scores), _again(logits, scores, temperature=2.0)
        torch.testing.assert_close(adversarial, g - p * g.sum(1, keepdim=True), rtol=1e-9, atol=1e-12)
        torch.testing.assert_close(distillation, (p * u.sum(1, keepdim=True) - u) / B, rtol=1e-9, atol=1e-12)

    def test_expected(self):
        scores, logits = lists(2)
        found = ar2_terms(scores, logits, adv_form="expected")
        (got,) = gradient(found.adversarial, scores)
        p = scores[:, 1:].softmax(1)
        mean = (p * found.reward).sum(1, keepdim=True)
        torch.testing.assert_close(got[:, 1:], p * (found.reward - mean) / B)
        assert not got[:, 0].any()
        (got,) = gradient(ar2_terms(scores, logits).distillation, scores)
        torch.testing.assert_close(got, (scores.softmax(1) - logits.softmax(1)) / B)

    @pytest.mark.parametrize("form", FORMS)
    def test_scale_similarity_divides_scores_and_gradients_by_the_root_of_the_width(self, form):
        q, c, logits = vectors(B, 9), vectors(B, M, 9, seed=1), vectors(B, M, seed=2)
        torch.testing.assert_close(ar2_scores(q, c), (q[:, None] * c).sum(-1))
        torch.testing.assert_close(ar2_scores(q, c, scale_similarity=True), ar2_scores(q, c) / 3)
        torch.testing.assert_close(ar2_scores(q, c, scale=2.5), 2.5 * ar2_scores(q, c))
        leaf = ar2_scores(q, c).requires_grad_()
        (scaled,) = gradient(ar2_loss(leaf / 9**0.5, logits, adv_form=form), leaf)
        inner = (leaf.detach() / 3).requires_grad_()
        torch.testing.assert_close(scaled, gradient(ar2_loss(inner, logits, adv_form=form), inner)[0] / 3)


def _again(logits, scores, **options):
    return gradient(ar2_terms(scores, logits, adv_form="official", **options).distillation, scores)


class TestIdentities:
    def test_lambda_0_is_soft_label_cross_entropy_to_the_ranker(self):
        scores, logits = lists(3)
        loss = ar2_loss(scores, logits, adv_lambda=0.0, temperature=0.7)
        expected = torch.nn.functional.cross_entropy(scores, (logits / 0.7).softmax(1))
        torch.testing.assert_close(loss, expected)
        torch.testing.assert_close(gradient(loss, scores), gradient(expected, scores))

    def test_lambda_0_has_no_gradient_exactly_when_retriever_and_ranker_agree(self):
        scores, logits = lists(4)
        same = (logits + 3.0).detach().requires_grad_()  # a shift does not matter to a softmax
        assert gradient(ar2_loss(same, logits, adv_lambda=0.0), same)[0].abs().max() < 1e-15
        assert gradient(ar2_loss(scores, logits, adv_lambda=0.0), scores)[0].abs().max() > 1e-2
        official = gradient(ar2_loss(same, logits, adv_lambda=0.0, adv_form="official"), same)[0].abs().max()
        assert 0 < official < 1e-6  # only up to eps

    def test_lambda_1_leaves_the_positive_alone_and_sums_to_0_over_negatives(self):
        scores, logits = lists(5)
        (got,) = gradient(ar2_loss(scores, logits, adv_lambda=1.0), scores)
        assert not got[:, 0].any() and got[:, 1:].abs().min() > 0
        torch.testing.assert_close(got.sum(1), torch.zeros(B, dtype=torch.float64), rtol=0, atol=1e-15)

    def test_lambda_1_with_equal_rewards_has_no_gradient(self):
        scores, logits = lists(6)
        logits[:, 1:] = logits[:, 1:2]
        assert gradient(ar2_loss(scores, logits, adv_lambda=1.0), scores)[0].abs().max() < 1e-15

    def test_temperature_to_0_with_the_ranker_right_is_the_contrastive_loss(self):
        scores, logits = lists(7)
        logits[:, 0] = logits.max(1).values + 1
        found = ar2_terms(scores, logits, temperature=1e-3).distillation
        torch.testing.assert_close(found, -scores.log_softmax(1)[:, 0].mean())

    def test_temperature_to_infinity_makes_the_target_uniform(self):
        scores, logits = lists(8)
        found = ar2_terms(scores, logits, temperature=1e12).distillation
        torch.testing.assert_close(found, -scores.log_softmax(1).mean())

    def test_official_with_equal_logits_is_m_log_2_times_a_uniform_target_per_query(self):
        scores, _ = lists(9)
        (got,) = gradient(ar2_terms(scores, torch.ones(B, M).double(), adv_form="official").adversarial, scores)
        uniform = torch.nn.functional.cross_entropy(scores, torch.full((B, M), 1 / M).double(), reduction="sum")
        torch.testing.assert_close(got, gradient(M * math.log(2) * uniform, scores)[0], rtol=1e-4, atol=1e-5)

    def test_official_floors_the_gradient_of_a_hopeless_candidate(self):
        scores = torch.tensor([[math.log(1 - 2e-12), math.log(1e-12), math.log(1e-12)]]).double().requires_grad_()
        logits = torch.tensor([[0.0, 3.0, -1.0]]).double()
        log_p = (scores.softmax(1) + OFFICIAL_EPS).log()
        reward = ar2_terms(scores, logits, adv_form="official").reward
        own_term = gradient(reward[0, 1] * log_p[0, 1], scores)[0][0, 1]
        assert own_term.abs() < 1e-4 * reward[0, 1].abs()
        whole = gradient(ar2_terms(scores, logits, adv_form="official").adversarial, scores)[0][0, 1]
        without_eps = gradient((reward * scores.log_softmax(1)).sum(), scores)[0][0, 1]
        assert whole.abs() < 1e-4 < 1 < without_eps.abs()  # log_softmax would be another method

    def test_official_adversary_doubles_with_the_batch_and_distillation_does_not(self):
        scores, logits = lists(10)
        once, twice = (ar2_terms(scores.repeat(n, 1), logits.repeat(n, 1), adv_form="official") for n in (1, 2))
        torch.testing.assert_close(twice.adversarial, 2 * once.adversarial)
        torch.testing.assert_close(twice.distillation, once.distillation)
        twice, once = (ar2_terms(scores.repeat(n, 1), logits.repeat(n, 1)).adversarial for n in (2, 1))
        torch.testing.assert_close(twice, once)

    @pytest.mark.parametrize("form", FORMS)
    def test_the_order_of_negatives_does_not_matter(self, form):
        scores, logits = lists(11)
        order = torch.tensor([0, 3, 1, 4, 2])
        torch.testing.assert_close(
            ar2_loss(scores[:, order], logits[:, order], adv_form=form), ar2_loss(scores, logits, adv_form=form)
        )

    def test_the_ranker_step_is_logsumexp_minus_the_positive(self):
        _, logits = lists(12)
        torch.testing.assert_close(ar2_ranker_loss(logits), (logits.logsumexp(1) - logits[:, 0]).mean())


class TestEdgeCases:
    def test_no_negatives(self):
        scores, logits = (x[:, :1] for x in lists(13))
        assert ar2_ranker_loss(logits) == 0
        found = ar2_terms(scores, logits)
        assert found.adversarial == 0 and found.loss == 0 and found.reward.shape == (B, 0)
        assert not gradient(found.loss, scores)[0].any()
        official = ar2_terms(scores, logits, adv_form="official").adversarial.detach() / B
        assert float(official) == pytest.approx(math.log(0.5) * math.log(1 + 1e-7), rel=1e-4)

    @pytest.mark.parametrize("form", FORMS)
    def test_a_query_whose_negatives_are_all_padded_has_no_adversary(self, form):
        scores, logits = lists(14)
        keep = torch.ones(B, M, dtype=torch.bool)
        keep[1, 1:] = False
        scores.data[1, 1:], logits[1, 1:] = torch.nan, -torch.inf
        found = ar2_terms(scores, logits, keep=keep, adv_form=form)
        rest = torch.tensor([0, 2, 3])
        others = ar2_terms(scores[rest], logits[rest], adv_form=form)
        share = 3 / 4 if form == "expected" else 1.0  # the query counts in the mean
        assert float(found.adversarial) == pytest.approx(share * float(others.adversarial), abs=1e-6)
        assert float(found.distillation) == pytest.approx(3 / 4 * float(others.distillation), abs=1e-6)
        got = gradient(found.loss, scores)[0]
        assert got.isfinite().all() and got[1].abs().max() < 1e-6

    @pytest.mark.parametrize("form", FORMS)
    def test_a_padded_list_is_the_shorter_list(self, form):
        scores, logits = lists(15)
        keep = torch.arange(M).expand(B, M) < 3
        found, short = (
            ar2_terms(scores, logits, keep=keep, adv_form=form),
            ar2_terms(scores[:, :3], logits[:, :3], adv_form=form),
        )
        torch.testing.assert_close(found.loss, short.loss)
        torch.testing.assert_close(found.probabilities[:, :3], short.probabilities)
        assert not found.probabilities[:, 3:].any()
        assert not found.reward[:, found.reward.shape[1] - 2 :].any()

    @pytest.mark.parametrize("form", FORMS)
    def test_a_list_whose_positive_is_padded_is_not_counted(self, form):
        scores, logits = lists(16)
        keep = torch.ones(B, M, dtype=torch.bool)
        keep[2, 0] = False
        rest = torch.tensor([0, 1, 3])
        expected = ar2_loss(scores[rest], logits[rest], adv_form=form)
        torch.testing.assert_close(ar2_loss(scores, logits, keep=keep, adv_form=form), expected)
        torch.testing.assert_close(ar2_ranker_loss(logits, keep=keep), ar2_ranker_loss(logits[rest]))

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("size", [1e3, 1e4])
    def test_extreme_logits_are_finite(self, form, size):
        scores, logits = lists(17, spread=size)
        for precision in (torch.float32, torch.float64):
            leaf = scores.detach().to(precision).requires_grad_()
            loss = ar2_loss(leaf, logits.to(precision), adv_form=form, temperature=0.1)
            assert loss.isfinite() and gradient(loss, leaf)[0].isfinite().all()
        assert ar2_ranker_loss(logits).isfinite()

    def test_a_candidate_may_be_there_twice(self):
        scores, logits = lists(18)
        scores, logits = (x[:, [0, 1, 1, 2]].detach() for x in (scores, logits))
        assert ar2_loss(scores, logits).isfinite() and ar2_ranker_loss(logits).isfinite()


class TestTraps:
    @pytest.mark.parametrize("form", FORMS)
    def test_sign_minimising_raises_what_the_ranker_confuses(self, form):
        scores = torch.zeros(1, 4).double().requires_grad_()
        logits = torch.tensor([[2.0, 2.5, -3.0, -5.0]]).double()  # negative 1 looks better than the positive
        found = ar2_terms(scores, logits, adv_form=form)
        assert (found.reward <= 0).all()
        got = gradient(found.adversarial, scores)[0][0]
        assert got[1] < 0 < got[2] < got[3]
        if form == "official":
            assert found.adversarial >= 0 and ar2_terms(scores, logits, adv_form=form, eps=1e-12).adversarial > 0

    def test_official_pushes_the_positive_up_with_strength_log_2(self):
        scores, logits = lists(19)
        found = ar2_terms(scores, logits, adv_form="official")
        torch.testing.assert_close(found.reward[:, 0], torch.full((B,), math.log(0.5 + 1e-7)).double())
        without = ar2_terms(scores, logits, adv_form="official").reward[:, 1:] * (scores.softmax(1) + 1e-7).log()[:, 1:]
        ours, rest = gradient(found.adversarial, scores)[0], gradient(without.sum(), scores)[0]
        torch.testing.assert_close((ours - rest)[:, 0], -math.log(2) * (1 - scores.softmax(1)[:, 0]), rtol=1e-3, atol=0)

    def test_the_reward_is_that_of_the_positive_over_the_candidate(self):
        _, logits = lists(20)
        reward = ar2_terms(torch.zeros(B, M).double(), logits).reward
        pairs = torch.stack([logits[:, :1].expand(B, M - 1), logits[:, 1:]], dim=-1)
        torch.testing.assert_close(reward, pairs.log_softmax(-1)[..., 0])

    @pytest.mark.parametrize("form", FORMS)
    def test_temperature_touches_neither_reward_nor_adversary(self, form):
        scores, logits = lists(21)
        cold, warm = (ar2_terms(scores, logits, adv_form=form, temperature=t) for t in (0.2, 5.0))
        assert torch.equal(cold.reward, warm.reward) and torch.equal(cold.adversarial, warm.adversarial)
        assert not torch.allclose(cold.distillation, warm.distillation)

    @pytest.mark.parametrize("form", FORMS)
    def test_no_gradient_reaches_the_ranker(self, form):
        scores, logits = lists(22)
        logits.requires_grad_()
        assert gradient(ar2_loss(scores, logits, adv_form=form), scores, logits)[1] is None


class TestInSentenceTransformers:
    def loss(self, **options):
        return Ar2Loss(PassThrough(), **options)

    @pytest.mark.parametrize("form", FORMS)
    def test_columns_and_labels_are_those_of_distillation(self, form):
        q, p, n1, n2 = (vectors(B, 6, seed=i) for i in range(4))
        logits = vectors(B, 3, seed=9)
        options = {"adv_form": form, "adv_lambda": 0.2, "temperature": 1.5}
        found = self.loss(**options, scale_similarity=True, scale=3.0)(features(q, p, n1, n2), logits)
        scores = 3 * torch.stack([(q * x).sum(-1) for x in (p, n1, n2)], dim=1) / 6**0.5
        torch.testing.assert_close(found, ar2_loss(scores, logits, **options))

    def test_cosine_and_no_negatives(self):
        q, p, n = (vectors(B, 6, seed=i) for i in range(3))
        logits = vectors(B, 2, seed=9)
        found = self.loss(similarity="cosine", scale=20.0)(features(q, p, n), logits)
        again = self.loss(similarity="cosine", scale=20.0)(features(5 * q, 2 * p, 0.1 * n), logits)
        torch.testing.assert_close(found, again)
        assert self.loss()(features(q, p), logits[:, :1]) == 0

    def test_minus_infinity_marks_a_padded_negative(self):
        q, p, n1, n2 = (vectors(B, 6, seed=i) for i in range(4))
        logits = vectors(B, 3, seed=9)
        short = self.loss()(features(q, p, n1), logits[:, :2])
        logits[:, 2] = -torch.inf
        torch.testing.assert_close(self.loss()(features(q, p, n1, n2), logits), short)

    def test_other_labels_are_refused(self, unchecked_shapes):
        q, p, n = (vectors(B, 6, seed=i) for i in range(3))
        wrong = ((None, "no labels"), (torch.zeros(B, 2).long(), "torch.int64"), (torch.zeros(B, 3), "4, 3"))
        for labels, got in wrong:
            with pytest.raises(LitotesError, match=rf"ranker's logits .* shape \(4, 2\) here\. Got .*{got}"):
                self.loss()(features(q, p, n), labels)

    def test_trains_in_the_trainer(self, tmp_path: Path):
        model = load_sentence_transformer("tiny:bert")
        before = {name: value.clone() for name, value in model.state_dict().items()}
        columns = {"query": "red", "positive": "red and blue", "negative_1": "stone", "negative_2": "tree"}
        lines = datasets.Dataset.from_list([{**columns, "label": [3.0, 1.0, -1.0]}] * 8)
        args = SentenceTransformerTrainingArguments(
            output_dir=str(tmp_path), per_device_train_batch_size=4, report_to="none", use_cpu=True, disable_tqdm=True,
            logging_strategy="no", save_strategy="no", learning_rate=1e-2,
        )  # fmt: skip
        loss = Ar2Loss(model, scale=20.0, similarity="cosine")
        SentenceTransformerTrainer(model=model, args=args, train_dataset=lines, loss=loss).train()
        assert any(not torch.equal(before[name], value) for name, value in model.state_dict().items())
        assert loss.get_config_dict()["adv_form"] == "expected"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"adv_form": "offical"}, "'adv_form'.*Did you mean 'official'"),
        ({"adv_lambda": 1.5}, r"'adv_lambda' parameter of ar2_loss must be a float in the range \[0.0, 1.0\]"),
        ({"temperature": 0.0}, "'temperature'"),
        ({"eps": 0.0}, "'eps'"),
        ({"keep": torch.ones(B, M - 1, dtype=torch.bool)}, "'keep' parameter of ar2_loss must be a bool tensor"),
    ],
)
def test_wrong_options_are_refused_in_words(options, words, unchecked_shapes):
    with pytest.raises(LitotesError, match=words):
        ar2_loss(torch.zeros(B, M), torch.zeros(B, M), **options)


def test_lists_of_other_shapes_are_refused(unchecked_shapes):
    with pytest.raises(LitotesError, match=r"lists \[queries, 1 \+ negatives\].*\(4, 5\) and \(4, 4\)"):
        ar2_loss(torch.zeros(B, M), torch.zeros(B, M - 1))
    with pytest.raises(LitotesError, match="ar2_ranker_loss takes lists"):
        ar2_ranker_loss(torch.zeros(B, 0))
    with pytest.raises(LitotesError, match="'reduction'.*ar2_ranker_loss.*Got 'average'"):
        ar2_ranker_loss(torch.zeros(B, M), reduction="average")


@pytest.mark.parametrize("shared", [True, False])
def test_scores_are_products_in_float32_also_under_autocast(shared):
    generator = torch.Generator().manual_seed(0)
    q, d = torch.randn(4, 64, generator=generator), torch.randn(4, 5, 64, generator=generator)
    d = d[0] if shared else d
    expected = torch.stack([d_q @ q_i for q_i, d_q in zip(q, [d] * 4 if shared else d, strict=True)]) * 3
    with torch.autocast("cpu", torch.bfloat16):
        found = ar2_scores(q, d, scale=3.0)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-5)
    half = ar2_scores(q.bfloat16(), d.bfloat16())
    torch.testing.assert_close(half, ar2_scores(q.bfloat16().float(), d.bfloat16().float()))
