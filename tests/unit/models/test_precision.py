"""Which device and which number format: decided by what the hardware says, not by timing."""

import pytest
import torch

from litotes.core.errors import LitotesError
from litotes.models import precision
from litotes.models.cross_encoder import load_cross_encoder
from litotes.models.loading import load_sentence_transformer


@pytest.mark.parametrize(
    ("cuda", "mps", "device"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_best_device(cuda, mps, device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert precision.best_device() == device


@pytest.mark.parametrize(
    ("flags", "dtype"),
    [
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True, "avx512_bf16": False}, "bfloat16"),
        ({"bf16": True}, "bfloat16"),
        ({"avx2": True}, "float32"),
        ({}, "float32"),
    ],
)
def test_a_processor_s_flags_decide(flags, dtype, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags)
    assert precision.best_dtype() == precision.best_dtype("cpu") == dtype


def test_a_card_decides_for_itself_and_others_stay_in_float32(monkeypatch):
    asked = []

    def is_supported(including_emulation: bool) -> bool:
        asked.append(including_emulation)
        return True

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", is_supported)
    assert precision.best_dtype("cuda:1") == "bfloat16" and asked == [False]
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert precision.best_dtype("cuda") == "float32"
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": True})
    assert precision.best_dtype("mps") == "float32"


def test_a_model_computes_in_the_format_whatever_surrounds_it():
    layer, x = torch.nn.Linear(2, 2), torch.ones(1, 2)
    with precision.autocast("cpu", "bfloat16"):
        assert layer(x).dtype == torch.bfloat16
        with precision.autocast("cpu", "float32"):
            assert layer(x).dtype == torch.float32


def test_a_device_without_autocast_computes_as_it_is(monkeypatch):
    monkeypatch.setattr(torch.amp, "is_autocast_available", lambda kind: False)
    with precision.autocast("cpu", "auto"):
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == torch.float32


def test_float32_is_refused_for_narrow_weights():
    model = torch.nn.Linear(2, 2).to(torch.bfloat16)
    with pytest.raises(LitotesError, match=r"dtype='float32' was asked for, but the live model's weights are bfloat16"):
        precision.check_weights(model, "float32")
    precision.check_weights(model, "auto")
    precision.check_weights(torch.nn.Linear(2, 2), "float32")


def test_a_device_is_what_torch_knows_and_the_machine_has(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert [precision.resolve_device(device) for device in ("auto", "cpu", "cpu:0", "meta")] == [
        "cpu", "cpu", "cpu:0", "meta",
    ]  # fmt: skip
    with pytest.raises(
        LitotesError, match=r"device='gpu' is no device that torch knows\. Choose auto \(here cpu\), cpu"
    ):
        precision.resolve_device("gpu")
    for device in ("cuda", "cuda:1", "mps"):
        with pytest.raises(LitotesError, match=f"device='{device}' is not on this machine. Choose auto"):
            precision.resolve_device(device)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert precision.resolve_device("cuda:1") == "cuda:1"


def test_models_are_loaded_onto_a_device_that_is_checked_first():
    for load in (load_sentence_transformer, load_cross_encoder):
        with pytest.raises(LitotesError, match="device='gpu' is no device"):
            load("tiny:bert", device="gpu")
