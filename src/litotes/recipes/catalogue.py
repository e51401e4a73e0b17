"""The published systems that Litotes sets out to hold, one row each: data only, so that listing them loads nothing.

A row makes a system appear in ``litotes recipes``, in ``litotes train`` and in the README. Its state is not written
here but read from the package: a system works when its module is there.
"""

from dataclasses import dataclass
from pathlib import Path

from litotes.core.checks import nearest
from litotes.core.errors import LitotesError


@dataclass(frozen=True)
class Recipe:
    """One system: where it lives, what it is called, and in one sentence what it does."""

    slug: str
    door: str
    """The folder under ``recipes/``: the kind of task that a user comes with."""
    title: str
    paper: str
    sentence: str
    commands: tuple[str, ...] = ()
    """What ``litotes train`` takes; each has a ``train_<command>`` in the module."""

    @property
    def module(self) -> str:
        """The dotted name of the recipe's module, whether or not it exists yet."""
        return f"litotes.recipes.{self.door}.{self.slug.replace('-', '_')}"

    @property
    def state(self) -> str:
        """``works`` when the module is in the package, else ``planned``."""
        file = Path(__file__).parent / self.door / f"{self.slug.replace('-', '_')}.py"
        return "works" if file.is_file() else "planned"


def find(slug: str) -> Recipe:
    """The row of one system; an unknown name is an error that names the nearest."""
    return _one({row.slug: row for row in CATALOGUE}, slug, "system")


def find_command(command: str) -> Recipe:
    """The row of the system that ``litotes train COMMAND`` trains; an unknown name is an error as in :func:`find`."""
    return _one({name: row for row in CATALOGUE for name in row.commands}, command, "training command")


def table() -> list[dict[str, str]]:
    """What ``litotes recipes`` and the README show: one dictionary of texts a system, those that work first."""
    rows = sorted(CATALOGUE, key=lambda row: (row.state != "works", row.slug))
    return [
        {"system": row.slug, "door": row.door, "what it does": row.sentence, "paper": row.paper, "state": row.state}
        for row in rows
    ]


def _one(rows: dict[str, Recipe], name: str, kind: str) -> Recipe:
    if name not in rows:
        hint = nearest(name, rows)
        known = f"Did you mean {hint!r}?" if hint else f"Known: {', '.join(sorted(rows))}."
        raise LitotesError(f"There is no {kind} {name!r}. {known}")
    return rows[name]


CATALOGUE = (
    Recipe(
        "ar2",
        "retrieval",
        "Adversarial retriever-ranker",
        "Zhang et al., ICLR 2022, arXiv 2110.03611",
        "A retriever looks for documents that fool a ranker; the ranker learns from them and teaches the retriever.",
        commands=("ar2",),
    ),
    Recipe(
        "car",
        "language",
        "Conceptualization-augmented reasoner",
        "Wang et al., Findings of EMNLP 2023, arXiv 2305.14869",
        "Turns a commonsense knowledge base into multiple-choice questions whose distractors are not secretly true.",
    ),
    Recipe(
        "cet",
        "retrieval",
        "Coupled estimation technique",
        "Cai et al., CIKM 2022, arXiv 2209.05072",
        "Learns relevance and selection-for-judging together, each weighting the other's negatives.",
        commands=("cet",),
    ),
    Recipe(
        "claps",
        "language",
        "Contrastive learning with adversarial perturbations",
        "Lee et al., ICLR 2021, arXiv 2012.07280",
        "Trains a sequence-to-sequence model against imposters made by perturbing its decoder's hidden states.",
    ),
    Recipe(
        "comic",
        "multilabel",
        "Correction, modification, balance",
        "Zhang et al., ICCV 2023, arXiv 2304.10539",
        "Multi-label learning where classes are long-tailed and some positive labels are missing.",
    ),
    Recipe(
        "compress-features",
        "classification",
        "Compressing features for noisy labels",
        "Chen et al., IEEE TNNLS 2022, arXiv 2206.13140",
        "Nested dropout orders the features, two such networks teach each other, and wrong labels are not memorised.",
        commands=("nested-co-teaching",),
    ),
    Recipe(
        "d2o",
        "language",
        "Distributional dispreference optimization",
        "Duan et al., Findings of EMNLP 2024, arXiv 2403.03419",
        "Moves a language model away from dispreferred answers, anchored by its own samples, without preferred ones.",
    ),
    Recipe(
        "dice-loss",
        "classification",
        "Dice loss for imbalanced text tasks",
        "Li et al., ACL 2020, arXiv 1911.02855",
        "Losses whose optimum is close to that of F1, for tokens and spans drowned in background.",
    ),
    Recipe(
        "dont-retrieve-generate",
        "retrieval",
        "Don't retrieve, generate",
        "Sinha, arXiv 2504.21015",
        "A language model writes the queries and the hard negatives of a corpus, beside mined ones as the control.",
    ),
    Recipe(
        "elr",
        "classification",
        "Early-learning regularization",
        "Liu et al., NeurIPS 2020, arXiv 2007.00151",
        "Keeps a classifier near what it believed before it began to memorise wrong labels.",
        commands=("elr", "elr-plus"),
    ),
    Recipe(
        "gnm-vlm",
        "multimodal",
        "Generative negative mining",
        "Sahin et al., WACV 2024, arXiv 2311.03964",
        "Generates variations of image and caption, as hard negatives in both directions for a CLIP-type model.",
    ),
    Recipe(
        "km-erm",
        "survival",
        "Empirical risk minimization under random censorship",
        "Ausset et al., JMLR 2022, arXiv 1906.01908",
        "Weighs the uncensored durations so that any regressor learns as if nothing had been cut off.",
    ),
    Recipe(
        "lemon",
        "graph",
        "Language model for negative sampling",
        "Rony et al., arXiv 2203.04703",
        "Corrupts the triples of a knowledge graph with entities whose texts are close to the one replaced.",
    ),
    Recipe(
        "lg-anna",
        "retrieval",
        "LG-ANNA embedding",
        "arXiv 2506.07438",
        "One instructed embedder from graded relevance, without negatives that score too close to their positive.",
    ),
    Recipe(
        "loki",
        "classification",
        "Geometry-aware adaptation",
        "Roberts et al., NeurIPS 2023, arXiv 2307.12226",
        "Answers with the Frechet mean under a metric on all classes, also classes that were never observed.",
    ),
    Recipe(
        "long-rag",
        "language",
        "Long-context language models meet retrieval",
        "Jin et al., ICLR 2025, arXiv 2410.05983",
        "Measures how hard-negative passages harm answers, reorders them, and tunes the model to withstand them.",
    ),
    Recipe(
        "meow",
        "graph",
        "Meta-path contexts and weighted negatives",
        "Yu et al., SDM 2023, arXiv 2212.13847",
        "Node embeddings of a heterogeneous graph from two views, with negatives weighed by cluster or learned.",
    ),
    Recipe(
        "mochi",
        "representation",
        "Hard negative mixing",
        "Kalantidis et al., NeurIPS 2020, arXiv 2010.01028",
        "Mixes the hardest entries of the queue into harder negatives while a momentum-contrast encoder trains.",
    ),
    Recipe(
        "nbpo",
        "recommendation",
        "Noisy-label robust point-wise optimisation",
        "Yu and Qin, SIGIR 2020, arXiv 2007.07204",
        "Learns a recommender together with the probability that an item nobody chose is a positive after all.",
    ),
    Recipe(
        "negative-bias",
        "language",
        "Negative bias of language models",
        "Song et al., IEEE TASLP 2025, arXiv 2511.10881",
        "Measures how much too often a language model says no, and whether format or missing knowledge is the cause.",
    ),
    Recipe(
        "ngame",
        "multilabel",
        "Negative-mining-aware mini-batching",
        "Dahiya et al., WSDM 2023, arXiv 2207.04452",
        "Extreme classification with batches cut from clusters, whose in-batch negatives are hard at no extra cost.",
    ),
    Recipe(
        "npo",
        "language",
        "Negative preference optimization",
        "Zhang et al., arXiv 2404.05868",
        "Makes a language model forget given examples without the collapse that gradient ascent brings.",
    ),
    Recipe(
        "peg",
        "retrieval",
        "Progressively learned text embeddings",
        "Wu et al., arXiv 2311.11691",
        "Trains an embedder with tens of thousands of in-batch negatives in bounded memory, weighed by progress.",
        commands=("peg",),
    ),
    Recipe(
        "pu-mlc",
        "multilabel",
        "Positive label is all you need",
        "Yuan et al., ICME 2024, arXiv 2306.16016",
        "Throws the negative labels away and learns each class from positives and an unlabelled pool.",
    ),
    Recipe(
        "qcrd",
        "language",
        "Quality-guided contrastive rationale distillation",
        "Wang et al., arXiv 2405.13014",
        "A small model learns from a large one's good rationales against its bad ones, each weighed by quality.",
    ),
    Recipe(
        "saha",
        "multimodal",
        "Self-aware hard negatives",
        "arXiv 2508.00955",
        "Prompts a multimodal model into an embedder and lets it build its own clusters of mutually hard items.",
    ),
    Recipe(
        "star-adore",
        "retrieval",
        "STAR and ADORE",
        "Zhan et al., SIGIR 2021, arXiv 2104.08051",
        "Trains a retriever on static hard and random negatives, then its query side on what it retrieves each step.",
        commands=("star", "adore"),
    ),
    Recipe(
        "tacred-noise",
        "classification",
        "Noise in TACRED: characterization and reduction",
        "Parekh et al., arXiv 2311.12298",
        "Finds false negatives of a huge negative class by nearest neighbours, and drops or relabels them.",
    ),
    Recipe(
        "unforgettable",
        "language",
        "Unforgettable generalization in language models",
        "Zhang et al., COLM 2024, arXiv 2409.02228",
        "Asks of a model that was made to forget a skill whether it forgot beyond the examples, and predicts it.",
    ),
    Recipe(
        "unime",
        "multimodal",
        "Universal multimodal embeddings in two stages",
        "Gu et al., arXiv 2504.17432",
        "Turns a vision-language model into an embedder: a text teacher first, then hard negatives without false ones.",
    ),
    Recipe(
        "unime-v2",
        "multimodal",
        "A multimodal judge labels the negatives",
        "Gu et al., AAAI 2026, arXiv 2510.13515",
        "A vision-language judge scores mined negatives; an embedder and a reranker learn from the soft scores.",
    ),
    Recipe(
        "value-of-labels",
        "classification",
        "The value of labels in class-imbalanced learning",
        "Yang and Xu, NeurIPS 2020, arXiv 2006.07529",
        "Improves a long-tailed classifier with pseudo-labels of extra data or self-supervised pre-training.",
    ),
)
