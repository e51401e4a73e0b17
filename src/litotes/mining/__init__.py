"""Where negatives come from: one miner a file. A miner proposes cells; whether to believe them is judged next door."""

from litotes.core.lazy import lazy_names

__all__ = [
    "AnswerFilter",
    "ApproximateMiner",
    "BM25Miner",
    "DenseMiner",
    "MinedNegativeSampler",
    "Miner",
    "NegativeSampler",
    "PopularityMiner",
    "PopularityNegativeSampler",
    "RandomMiner",
    "RunMiner",
    "UniformNegativeSampler",
    "bm25_scores",
    "mine_into",
    "miner_from_spec",
    "nearest",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AnswerFilter": "litotes.mining.answers",
        "ApproximateMiner": "litotes.mining.approximate",
        "BM25Miner": "litotes.mining.bm25",
        "DenseMiner": "litotes.mining.dense",
        "MinedNegativeSampler": "litotes.mining.negative_samplers",
        "Miner": "litotes.mining.named",
        "NegativeSampler": "litotes.mining.negative_samplers",
        "PopularityMiner": "litotes.mining.popularity",
        "PopularityNegativeSampler": "litotes.mining.negative_samplers",
        "RandomMiner": "litotes.mining.random",
        "RunMiner": "litotes.mining.trec_run",
        "UniformNegativeSampler": "litotes.mining.negative_samplers",
        "bm25_scores": "litotes.mining.bm25",
        "mine_into": "litotes.mining.run",
        "miner_from_spec": "litotes.mining.named",
        "nearest": "litotes.mining.nearest",
    },
)
