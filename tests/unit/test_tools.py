"""The checks of ``make lint``: each forbidden thing is caught, and its allowed twin is not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.forbidden import forbidden
from tools.guide_output import with_output

ROOT = Path(__file__).parents[2]

# (forbidden, its allowed twin)
TWINS = {
    "pickle": ("import pickle", "import json"),
    "from pickle": ("from pickle import loads", "from json import loads"),
    "dill": ("import dill as d", "import zlib as d"),
    "cloudpickle in a function": ("def f():\n    import cloudpickle", "def f():\n    import zipfile"),
    "torch.save": ("import torch\ntorch.save(x, p)", "from safetensors.torch import save_file\nsave_file(x, p)"),
    "torch.save by another name": ("import torch as t\nt.save(x, p)", "import torch as t\nt.stack(x)"),
    "torch.save imported": ("from torch import save", "from torch import stack"),
    "torch.load": ("import torch\ntorch.load(p)", "import torch\ntorch.load(p, weights_only=True)"),
    "torch.load unsafe": (
        "import torch\ntorch.load(p, weights_only=False)",
        "import torch\ntorch.load(p, map_location='cpu', weights_only=True)",
    ),
    "torch.load of a variable flag": ("import torch\ntorch.load(p, weights_only=safe)", "import json\njson.load(p)"),
    "joblib.load": ("import joblib\njoblib.load(p)", "import joblib\njoblib.Parallel(2)"),
    "numpy pickles": (
        "import numpy as np\nnp.load(p, allow_pickle=True)",
        "import numpy as np\nnp.load(p, allow_pickle=False)",
    ),
    "read_pickle": ("import pandas as pd\npd.read_pickle(p)", "import pandas as pd\npd.read_parquet(p)"),
    "to_pickle": ("frame.to_pickle(p)", "frame.to_parquet(p)"),
    "save_state": ("accelerator.save_state(p)", "accelerator.prepare(m)"),
    "load_state": ("accelerator.load_state(p)", "sampler.load_state_dict(s)"),
    "save_model": ("trainer.save_model(p)", "model.save_pretrained(p)"),
    "trust_remote_code": ("load(name, trust_remote_code=True)", "load(name, trust_remote_code=False)"),
    "trust_remote_code passed on": ("load(name, trust_remote_code=trust)", "load(name)"),
    "trust_remote_code in a dict": ("options = {'trust_remote_code': True}", "options = {'trust': True}"),
    "random": ("import random\nrandom.shuffle(x)", "import random\nrandom.Random(3).shuffle(x)"),
    "random imported": ("from random import choice\nchoice(x)", "from secretary import choice\nchoice(x)"),
    "random.Random": ("import random\nrandom.Random()", "import random\nrandom.Random(seed)"),
    "random.seed": ("import random\nrandom.seed()", "import random\nrandom.seed(seed)"),
    "numpy legacy": ("import numpy as np\nnp.random.rand(3)", "import numpy as np\nnp.random.Generator(bits)"),
    "numpy legacy state": ("import numpy\nnumpy.random.RandomState(1)", "import numpy\nnumpy.random.get_state()"),
    "default_rng": ("import numpy as np\nnp.random.default_rng()", "import numpy as np\nnp.random.default_rng(seed)"),
    "default_rng of None": (
        "from numpy.random import default_rng\ndefault_rng(None)",
        "from numpy.random import default_rng\ndefault_rng([seed, 4])",
    ),
    "torch.randn": ("import torch\ntorch.randn(3)", "import torch\ntorch.randn(3, generator=g)"),
    "torch.randperm imported": (
        "from torch import randperm\nrandperm(3)",
        "from torch import randperm\nrandperm(3, generator=g)",
    ),
    "torch.multinomial": (
        "import torch\ntorch.multinomial(p, 2)",
        "import torch\ntorch.multinomial(p, 2, generator=g)",
    ),
    "torch.bernoulli": ("import torch\ntorch.bernoulli(p)", "import torch\ntorch.bernoulli(p, generator=g)"),
    "torch.seed": ("import torch\ntorch.seed()", "import torch\ntorch.manual_seed(seed)"),
    "in place": ("x.normal_(0, 1)", "x.normal_(0, 1, generator=g)"),
    "initialisers": (
        "from torch import nn\nnn.init.xavier_uniform_(w)",
        "from torch import nn\nnn.init.xavier_uniform_(w, generator=g)",
    ),
    "shuffled loader": (
        "from torch.utils.data import DataLoader\nDataLoader(x, shuffle=True)",
        "from torch.utils.data import DataLoader\nDataLoader(x, shuffle=True, generator=g)",
    ),
    "random split": (
        "import torch\ntorch.utils.data.random_split(x, [1, 2])",
        "import torch\ntorch.utils.data.random_split(x, [1, 2], generator=g)",
    ),
    "scikit-learn": (
        "from sklearn.model_selection import train_test_split\ntrain_test_split(x)",
        "from sklearn.model_selection import train_test_split\ntrain_test_split(x, random_state=seed)",
    ),
    "the package itself": ("from litotes import LabelMatrix", "from litotes.core import LabelMatrix"),
    "the package as a module": ("import litotes as lt", "import litotes.core"),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_forbidden_thing_is_caught_and_its_twin_is_not(name: str) -> None:
    bad, good = TWINS[name]
    assert [line for line, _ in forbidden(bad)] == [bad.count("\n") + 1]
    assert forbidden(good) == []


def test_words_in_comments_and_strings_are_not_code() -> None:
    assert forbidden('"""torch.save(x)"""\n# import pickle\nx = "np.random.rand()"') == []


def test_a_method_of_a_generator_is_allowed() -> None:
    assert forbidden("import numpy as np\nrng = np.random.default_rng(3)\nrng.shuffle(x)\nrng.random(4)") == []


def test_the_command_names_file_and_line_and_fails(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("import json\nimport pickle\n")
    (tmp_path / "good.py").write_text("import json\n")
    run = _forbidden_command(tmp_path)
    assert run.returncode == 1
    assert run.stdout.splitlines() == [
        f"{tmp_path}/bad.py:2: pickle is forbidden: nothing of ours reads or writes pickles"
    ]
    (tmp_path / "bad.py").unlink()
    assert _forbidden_command(tmp_path).returncode == 0


def test_our_own_code_does_nothing_forbidden() -> None:
    run = _forbidden_command(ROOT / "src")
    assert run.returncode == 0, run.stdout


def test_a_guide_shows_what_its_commands_printed_and_nothing_older() -> None:
    page = "# A\n\n```console\n$ one --x\nold\n$ two\n```\n\n```python\n$ three\n```\n"
    shown = "# A\n\n```console\n$ one --x\n<one --x>\n\n$ two\n<two>\n```\n\n```python\n$ three\n```\n"
    assert with_output(page, lambda command: f"<{command}>  \n") == shown
    assert with_output(shown, lambda command: f"<{command}>  \n") == shown
    assert with_output(page, lambda command: "") == page.replace("old\n", "")


def _forbidden_command(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / "forbidden.py", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)
