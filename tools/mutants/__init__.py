"""Small changes to the code that the tests must notice: ``python -m tools.mutants``.

A *mutant* is one file of ours with one small change (``<`` for ``<=``, a dropped keyword, ``return None``). The tests
that reach the changed line are run on it; a mutant that all of them pass has *survived* and shows what no test asks.

- ``operators``: which changes there are.
- ``reach``: which tests reach which line, from one run of the unit tests under coverage.
- ``trial``: one mutant in a process of its own, forked where the heavy libraries are loaded already.
- ``page``: the result as JSON and as a section of ``docs/quality.md``.
- ``equal.toml``: changes that cannot be noticed, each with the reason.
"""
