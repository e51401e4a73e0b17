"""Public data sets by name: what each is, and where it is looked for.

None of them is part of the project. A claim or a test says ``nfcorpus``; whoever has the set keeps it under the folder
that the environment variable ``LITOTES_DATA`` names, as the row's ``folder`` or simply as its name.

In a licence, "unknown" means that no statement came with the data (for research and tests only), NC non-commercial.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from litotes.core.checks import check_choice
from litotes.core.errors import DataError

__all__ = ["PUBLIC", "PublicSet", "public_folder"]

_VARIABLE = "LITOTES_DATA"
_BEIR = "BEIR folder (corpus, queries, judgements): "
_TRIPLES = "head, relation, tail a line"
_HECO = "labels, features and meta-path graphs as arrays, edges as text"


@dataclass(frozen=True)
class PublicSet:
    """One public set, in words, and the folder it is kept in."""

    name: str
    folder: str
    what: str
    licence: str
    origin: str
    layout: str

    def places(self) -> list[Path]:
        """Where it is looked for, in this order; nowhere if ``LITOTES_DATA`` is not set."""
        root = os.environ.get(_VARIABLE)
        return [Path(root).expanduser() / folder for folder in (self.folder, self.name)] if root else []

    def found(self) -> Path | None:
        """The folder that it is in, or None."""
        return next((place for place in self.places() if place.is_dir()), None)


def public_folder(name: str) -> Path:
    """The folder of a public set.

    Raises:
        LitotesError: no public set has this name; the message names the nearest.
        DataError: it is not on this machine; the message says where it was looked for.
    """
    check_choice("public_folder", "name", name, PUBLIC)
    row = PUBLIC[name]
    folder = row.found()
    if folder is not None:
        return folder
    if not row.places():
        raise DataError(
            f"The public data set {name} is not part of litotes: set {_VARIABLE} to the folder that holds such sets, "
            f"where it is looked for as {row.folder} and as {name}."
        )
    raise DataError(
        f"The public data set {name} is not part of litotes and is not on this machine: looked for "
        f"{' and '.join(map(str, row.places()))} under the folder that {_VARIABLE} names."
    )


_ROWS = (
    PublicSet(
        "nfcorpus",
        "retrieval-nfcorpus",
        "medical abstracts for questions of laypeople: 3,395 documents, 3,210 queries, graded, many relevant a query",
        "free for use for academic purposes; CC BY-SA 4.0 in BEIR; NC to be safe",
        "github.com/ferdifdi/nfcorpus_medical_search_engine",
        f"{_BEIR}train, dev, test",
    ),
    PublicSet(
        "scifact",
        "retrieval-scifact",
        "abstracts that support or refute a claim: 5,183 documents, 1,109 queries, about one relevant a query",
        "claims CC BY 4.0, abstracts ODC-By 1.0",
        "github.com/allenai/scifact",
        f"{_BEIR}train, test",
    ),
    PublicSet(
        "cranfield",
        "retrieval-cranfield",
        "abstracts of aerodynamics: 1,400 documents, 225 queries, judged nearly exhaustively",
        "unknown; a classic public test collection",
        "github.com/oussbenk/cranfield-trec-dataset",
        f"{_BEIR}all",
    ),
    PublicSet(
        "vaswani",
        "retrieval-vaswani",
        "short abstracts of physics (NPL): 11,429 documents, 93 queries",
        "unknown; a classic public test collection; its packaging MPL-2.0",
        "github.com/terrier-org/pyterrier",
        f"{_BEIR}all",
    ),
    PublicSet(
        "clinc150",
        "intent-clinc150",
        "utterances to an assistant, 150 intents and out-of-scope: 23,700, and a cut with skewed classes",
        "CC BY 3.0",
        "github.com/clinc/oos-eval",
        "JSONL of split, text, intent: full, imbalanced",
    ),
    PublicSet(
        "banking77",
        "intent-banking77",
        "questions to a bank, 77 fine intents: 10,003 to train on, 3,080 to test",
        "CC BY 4.0",
        "github.com/PolyAI-LDN/task-specific-datasets",
        "CSV of text, category: train, test",
    ),
    PublicSet(
        "wn18rr",
        "kg-wn18rr",
        "WordNet as a knowledge graph with definitions: 40,943 entities, 11 relations, 93,003 triples",
        "WordNet licence; its packaging Apache-2.0",
        "github.com/yao8839836/kg-bert",
        f"TSV, {_TRIPLES}; texts of entities and relations",
    ),
    PublicSet(
        "codex-s",
        "kg-codex-s",
        "a small part of Wikidata with triples that people found false: 2,034 entities, 42 relations, 36,543 triples",
        "MIT",
        "github.com/tsafavi/codex",
        f"TSV, {_TRIPLES}; *_negatives.tsv are the false ones",
    ),
    PublicSet(
        "umls",
        "kg-umls",
        "the medical semantic network with definitions: 135 entities, 46 relations, 6,529 triples",
        "unknown; its packaging Apache-2.0",
        "github.com/yao8839836/kg-bert",
        f"TSV, {_TRIPLES}; texts of entities and relations",
    ),
    PublicSet(
        "lastfm2k",
        "recsys-lastfm2k",
        "who listened to which artist: 1,880 users, 4,489 artists, 52,668 pairs with counts, and friendships",
        "NC (HetRec 2011: non-commercial use)",
        "github.com/gusye1234/LightGCN-PyTorch",
        "tab-separated user, artist, count",
    ),
    PublicSet(
        "acm",
        "hetgraph-acm",
        "papers, authors and subjects as a graph: 4,019 papers of 3 classes",
        "unknown",
        "github.com/liun-online/HeCo",
        _HECO,
    ),
    PublicSet(
        "dblp",
        "hetgraph-dblp",
        "authors, papers, conferences and terms as a graph: 4,057 authors of 4 classes",
        "unknown",
        "github.com/liun-online/HeCo",
        _HECO,
    ),
    PublicSet(
        "freebase",
        "hetgraph-freebase",
        "films, actors, directors and writers as a graph: 3,492 films of 3 classes, no features",
        "unknown; Freebase data are CC BY",
        "github.com/liun-online/HeCo",
        _HECO,
    ),
    PublicSet(
        "fashion-mnist-15k",
        "image-fashion-mnist-15k",
        "grey images of clothes, 10 classes: 12,000 to train on, 3,000 to test, drawn evenly",
        "MIT",
        "github.com/zalandoresearch/fashion-mnist",
        "one .npz of images, labels and positions in the full set",
    ),
    PublicSet(
        "cifar10n-labels",
        "labelnoise-cifar10n-labels",
        "what people labelled the 50,000 training images of CIFAR-10, three a picture, beside the truth; no images",
        "CC BY-NC 4.0; NC",
        "github.com/UCSC-REAL/cifar-10-100n",
        "one .npz of label columns: clean, aggregate, worse, three annotators",
    ),
    PublicSet(
        "test-set-errors",
        "labelnoise-test-set-errors",
        "out-of-sample probabilities for the tests of MNIST and 20 newsgroups, and a crowd's votes on doubtful labels",
        "Apache-2.0",
        "github.com/cleanlab/label-errors",
        "arrays of probabilities and given labels; votes as JSON",
    ),
    PublicSet(
        "multilabel-arff",
        "multilabel-arff",
        "five small sets with several labels a row: Scene, Yeast, Enron, Music, Thyroid",
        "unknown; its packaging GPL-3",
        "github.com/Waikato/meka",
        "ARFF; -C in the relation line counts the label columns",
    ),
    PublicSet(
        "trec6",
        "textcls-trec6",
        "questions by the kind of answer, 6 classes: 4,907, 545 and 500",
        "unknown",
        "github.com/wangcongcong123/STA",
        "JSONL: train, dev, test",
    ),
    PublicSet(
        "sst2",
        "textcls-sst2",
        "sentences of film reviews, for or against: 6,920, 872 and 1,821",
        "unknown",
        "github.com/clairett/pytorch-sentiment-classification",
        "TSV: train, dev, test",
    ),
    PublicSet(
        "wnut17",
        "ner-wnut17",
        "rare and new names in posts, 6 types, most words outside any: 5,690 sentences",
        "CC BY 4.0",
        "github.com/leondz/emerging_entities_17",
        "a word and its tag a line",
    ),
    PublicSet(
        "ud-ewt",
        "pos-ud-ewt",
        "parts of speech of English web texts: 4,078 sentences, dev and test only",
        "CC BY-SA 4.0",
        "github.com/UniversalDependencies/UD_English-EWT",
        "a word, its universal and its fine tag a line",
    ),
    PublicSet(
        "semeval2010-task8",
        "relation-semeval2010-task8",
        "which of 9 directed relations, or none, holds between two marked words: 10,717 sentences",
        "CC BY 3.0, as its authors published it",
        "github.com/sahitya0000/Relation-Classification",
        "JSONL of id, sentence, relation, comment",
    ),
    PublicSet(
        "tacred-relabels",
        "relation-tacred-relabels",
        "two later corrections of TACRED's labels, by example; without the sentences, which nobody may pass on",
        "Re-TACRED unknown, TACRev MIT",
        "github.com/gstoica27/Re-TACRED and github.com/DFKI-NLP/tacrev",
        "JSON of example and label",
    ),
    PublicSet(
        "tofu",
        "unlearning-tofu",
        "4,000 questions about 200 invented authors, with parts to forget, and facts to keep",
        "MIT",
        "github.com/licong-lin/negative-preference-optimization",
        "an object of question and answer a line",
    ),
    PublicSet(
        "hh-harmless",
        "preference-hh-harmless",
        "2,312 dialogues with a chosen and a rejected answer; offensive in content",
        "MIT",
        "github.com/anthropics/hh-rlhf",
        "JSONL of chosen, rejected",
    ),
    PublicSet(
        "strategyqa",
        "qa-strategyqa",
        "2,290 questions answered by yes or no, with the facts they rest on",
        "MIT",
        "github.com/eladsegal/strategyqa",
        "JSONL: train, dev",
    ),
    PublicSet(
        "csqa-cose",
        "qa-csqa-cose",
        "8,560 questions of common sense with five answers each, and people's explanations",
        "explanations BSD-3-Clause, questions unknown here (MIT at their source)",
        "github.com/salesforce/cos-e",
        "JSONL: train, dev",
    ),
    PublicSet(
        "zero-shot-commonsense",
        "qa-zero-shot-commonsense",
        "dev parts of CommonsenseQA, SocialIQA and WinoGrande: 4,442 questions",
        "unknown",
        "github.com/HKUST-KnowComp/CAR",
        "JSONL, each with its own fields",
    ),
    PublicSet(
        "atomic2020",
        "commonsense-atomic2020-test",
        "5,000 events, a relation, and what follows according to people",
        "CC BY",
        "github.com/allenai/comet-atomic-2020",
        "TSV of head and relation, and tails",
    ),
    PublicSet(
        "esnli",
        "rationale-esnli",
        "19,666 pairs of sentences, whether one follows from the other, and three explanations why",
        "MIT",
        "github.com/OanaMariaCamburu/e-SNLI",
        "JSONL: dev, test",
    ),
    PublicSet(
        "sugarcrepe",
        "hardneg-sugarcrepe-captions",
        "7,511 captions, each with one that a small change made wrong, in 7 kinds; without the images",
        "MIT; the captions come from COCO (CC BY 4.0)",
        "github.com/RAIVNLab/sugar-crepe",
        "JSONL of filename, caption, negative_caption",
    ),
)

PUBLIC: dict[str, PublicSet] = {row.name: row for row in _ROWS}
