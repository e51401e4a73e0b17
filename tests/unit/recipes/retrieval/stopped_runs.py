"""Runs that are stopped anywhere, and what they leave."""


class Stopped(BaseException):
    """Stands for a kill: nothing catches it."""


def stop_at_call(monkeypatch, owner, name, number=None):
    """Count the calls of ``owner.name``; the ``number``-th never returns."""
    original, calls = getattr(owner, name), []

    def counting(*args, **kwargs):
        calls.append(1)
        if len(calls) == number:
            raise Stopped
        return original(*args, **kwargs)

    monkeypatch.setattr(owner, name, counting)
    return calls


def weights_of(folder):
    """The bytes of every file of weights of the deliverable."""
    files = sorted(p for p in folder.rglob("*.safetensors") if "checkpoints" not in p.parts)
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}
