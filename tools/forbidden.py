"""Calls that the code of Litotes must not make: pickles, code from the hub, and random draws without a seed.

``python tools/forbidden.py src`` prints one line for each that it finds and exits with 1 when there are any. It reads
the syntax tree, not the text: names are followed through ``import ... as``, comments and strings are not code.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PICKLING_MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve"}
PICKLING_CALLS = {"torch.save", "torch.serialization.save", "joblib.load", "joblib.dump", "pandas.read_pickle"}
PICKLING_METHODS = {
    "save_state": "accelerate's save_state writes pickles",
    "load_state": "accelerate's load_state reads pickles",
    "save_model": "save_model adds a pickle; write with the model's own save_pretrained",
    "to_pickle": "to_pickle writes a pickle",
}
TORCH_LOADS = {"torch.load", "torch.serialization.load"}
ONLY_FALSE = {"trust_remote_code", "allow_pickle"}

SEEDED_BY_ARGUMENT = {
    "random.Random",
    "random.seed",
    "numpy.random.seed",
    "numpy.random.default_rng",
    "numpy.random.SeedSequence",
    "numpy.random.PCG64",
    "numpy.random.PCG64DXSM",
    "numpy.random.Philox",
    "numpy.random.SFC64",
    "numpy.random.MT19937",
}
NO_DRAW = {"getstate", "setstate", "get_state", "set_state", "Generator", "BitGenerator"}
TORCH_DRAWS = {"rand", "randn", "randint", "rand_like", "randn_like", "randint_like", "randperm"}
TORCH_DRAWS |= {"normal", "multinomial", "bernoulli", "poisson"}
TORCH_SHUFFLES = {"RandomSampler", "WeightedRandomSampler", "SubsetRandomSampler", "random_split"}
IN_PLACE_DRAWS = {"normal_", "uniform_", "random_", "bernoulli_", "exponential_", "cauchy_", "geometric_"}
IN_PLACE_DRAWS |= {"log_normal_", "trunc_normal_", "orthogonal_", "sparse_"}
IN_PLACE_DRAWS |= {"xavier_normal_", "xavier_uniform_", "kaiming_normal_", "kaiming_uniform_"}
SKLEARN_DRAWS = {"train_test_split", "shuffle", "resample", "KMeans", "MiniBatchKMeans", "GaussianMixture"}
SKLEARN_DRAWS |= {"ShuffleSplit", "StratifiedShuffleSplit", "GroupShuffleSplit"}


def main(paths: list[str]) -> int:
    """Print what is forbidden in the Python files under ``paths``; 1 when there is any, else 0."""
    files = [file for path in map(Path, paths) for file in ([path] if path.is_file() else sorted(path.rglob("*.py")))]
    found = 0
    for file in files:
        for line, message in forbidden(file.read_text(encoding="utf-8")):
            print(f"{file}:{line}: {message}")
            found += 1
    return 1 if found else 0


def forbidden(source: str) -> list[tuple[int, str]]:
    """The forbidden things in one file's source, as (line, message), in the order of lines."""
    tree = ast.parse(source)
    names = _imported_names(tree)
    found = []
    for node in ast.walk(tree):
        for message in _messages(node, names):
            found.append((getattr(node, "lineno", 0), message))
    return sorted(found)


def _messages(node: ast.AST, names: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from _imports([alias.name for alias in node.names])
    elif isinstance(node, ast.ImportFrom) and node.level == 0:
        yield from _imports([node.module or ""])
        yield from (_of_call(f"{node.module}.{alias.name}") for alias in node.names if _is_pickling(node, alias))
    elif isinstance(node, ast.Dict):
        keys = (key.value if isinstance(key, ast.Constant) else None for key in node.keys)
        yield from _flags((str(key), value) for key, value in zip(keys, node.values, strict=True) if key is not None)
    elif isinstance(node, ast.Call):
        yield from _flags((word.arg, word.value) for word in node.keywords if word.arg is not None)
        yield from _pickling(node, _dotted(node.func, names))
        yield from _drawing(node, _dotted(node.func, names))


def _imports(modules: list[str]) -> Iterator[str]:
    for module in modules:
        if module.partition(".")[0] in PICKLING_MODULES:
            yield f"{module} is forbidden: nothing of ours reads or writes pickles"
        if module == "litotes":
            yield "names are imported from their room (litotes.core ...), never from litotes itself"


def _is_pickling(node: ast.ImportFrom, alias: ast.alias) -> bool:
    return f"{node.module}.{alias.name}" in PICKLING_CALLS


def _of_call(name: str) -> str:
    return f"{name} is forbidden: weights are safetensors, tables Parquet, configuration JSON"


def _flags(keywords: Iterator[tuple[str, ast.expr]]) -> Iterator[str]:
    for name, value in keywords:
        if name in ONLY_FALSE and not _is(value, False):
            yield f"{name} must be False"


def _pickling(call: ast.Call, name: str) -> Iterator[str]:
    if name in PICKLING_CALLS:
        yield _of_call(name)
    if name in TORCH_LOADS and not any(w.arg == "weights_only" and _is(w.value, True) for w in call.keywords):
        yield "torch.load without weights_only=True runs what the file says"
    if isinstance(call.func, ast.Attribute) and call.func.attr in PICKLING_METHODS:
        yield PICKLING_METHODS[call.func.attr]


def _drawing(call: ast.Call, name: str) -> Iterator[str]:
    head, _, last = name.rpartition(".")
    given = {word.arg for word in call.keywords}
    if name in SEEDED_BY_ARGUMENT:
        first = call.args[0] if call.args else next((w.value for w in call.keywords if w.arg != "generator"), None)
        if first is None or _is(first, None):
            yield f"{name} without a seed"
    elif head in ("random", "numpy.random") and last not in NO_DRAW:
        yield f"{name} draws from a global state; use numpy.random.default_rng(seed)"
    elif head == "torch" and last == "seed":
        yield "torch.seed sets a seed that nobody knows"
    elif head == "torch" and last in TORCH_DRAWS and "generator" not in given:
        yield f"{name} without generator="
    elif name.startswith("torch.utils.data.") and last in TORCH_SHUFFLES and "generator" not in given:
        yield f"{name} without generator="
    elif name.startswith("torch.utils.data.") and last == "DataLoader" and "generator" not in given:
        if any(word.arg == "shuffle" and not _is(word.value, False) for word in call.keywords):
            yield "DataLoader(shuffle=True) without generator="
    elif name.startswith("sklearn.") and last in SKLEARN_DRAWS and "random_state" not in given:
        yield f"{name} without random_state="
    elif isinstance(call.func, ast.Attribute) and call.func.attr in IN_PLACE_DRAWS and "generator" not in given:
        yield f"{call.func.attr} without generator="


def _imported_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: ``np`` for ``numpy``, ``randn`` for ``torch.randn``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                head = alias.name.partition(".")[0]
                names[alias.asname or head] = alias.name if alias.asname else head
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return names


def _dotted(node: ast.expr, names: dict[str, str]) -> str:
    """``np.random.rand`` as ``numpy.random.rand``; an empty string for what does not start at an imported name."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value, names)
        return f"{head}.{node.attr}" if head else ""
    return ""


def _is(node: ast.expr, value: bool | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["src"]))
