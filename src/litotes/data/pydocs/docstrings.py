"""From one docstring to one query and one document: step 2 of pydocs.

The query is the first sentence; the document is the signature and all that follows the sentence, so that no document
holds the query that it answers. What says too little, or only points elsewhere, is left out, with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from litotes.core.text import words

__all__ = ["DocstringParts", "reason_to_drop", "split_docstring"]

MIN_QUERY_WORDS, MAX_QUERY_WORDS = 4, 40
MIN_BODY_WORDS = 12  # outside Examples, See Also and References

_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_SIGNATURE = re.compile(r"(?:[\w, \[\]]+=\s*)?[A-Za-z_][\w.]*\(.*\)\s*(?:->\s*\S.*)?", re.DOTALL)
_SENTENCE_END = re.compile(r"[.!?](?=\s|$)")
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|a\.k\.a|w\.r\.t|al|approx|cf|etc|incl|resp|viz|vs|[Ff]igs?|[Ee]qs?|[Rr]efs?|No|St)\.$"
)
_DEPRECATED = re.compile(r"^\.\. deprecated::", re.MULTILINE)  # of the thing itself: that of a parameter is indented
_POINTER = re.compile(r"(?:alias (?:for|of)|see)\b", re.IGNORECASE)
_UNDERLINE = re.compile(r"[-=~^]{3,}")
_SIDE_TITLE = re.compile(r"(?:examples?|see also|references?)", re.IGNORECASE)
_SIDE_LABEL = re.compile(r"(?:(?:Examples?|See [Aa]lso|References?)::?|\.\. (?:seealso|rubric)::.*)")
_LABEL = re.compile(r"(?:[A-Z][\w ]*:{1,2}|\.\. \w+::.*)")


@dataclass(frozen=True)
class DocstringParts:
    """The three parts of a docstring: ``signature`` as its first paragraph gives it (or ""), ``sentence``, ``rest``."""

    signature: str
    sentence: str
    rest: str


def split_docstring(doc: str) -> DocstringParts:
    r"""Cut a cleaned docstring (:func:`inspect.cleandoc`) into signature, first sentence and the rest.

    >>> split_docstring("add(x, y) -> Tensor\n\nAdds y to x. Broadcasts.\n\nArgs: two tensors")
    DocstringParts(signature='(x, y) -> Tensor', sentence='Adds y to x.', rest='Broadcasts.\n\nArgs: two tensors')
    """
    signature, body = _cut_signature(doc.strip())
    first, *others = _BLANK_LINE.split(body)
    sentence, more = _cut_sentence(" ".join(first.split()))
    return DocstringParts(signature, sentence, "\n\n".join([more, *others] if more else others))


def reason_to_drop(parts: DocstringParts) -> str | None:
    """Why a docstring gives no query and document, or None when it does."""
    if not MIN_QUERY_WORDS <= len(parts.sentence.split()) <= MAX_QUERY_WORDS:
        return "first sentence too short or too long"
    if "deprecated" in parts.sentence.lower() or _DEPRECATED.search(parts.rest):
        return "deprecated"
    if _POINTER.match(parts.sentence):
        return "points elsewhere"
    if len(words(_without_side_sections(parts.rest))) < MIN_BODY_WORDS:
        return "too little beside the first sentence"
    return None


def _cut_signature(doc: str) -> tuple[str, str]:
    """The leading lines that look like a call, as compiled functions have them, and the docstring without them."""
    signature = ""
    paragraphs = _BLANK_LINE.split(doc)
    while len(paragraphs) > 1 and _SIGNATURE.fullmatch(paragraphs[0].strip()):
        signature = signature or paragraphs[0]
        paragraphs = paragraphs[1:]
    lines = paragraphs[0].split("\n")
    while len(lines) > 1 and _SIGNATURE.fullmatch(lines[0].strip()):
        signature = signature or lines[0]
        lines = lines[1:]
    arguments = signature[signature.find("(") :] if signature else ""
    return " ".join(arguments.split()), "\n\n".join(["\n".join(lines), *paragraphs[1:]])


def _cut_sentence(paragraph: str) -> tuple[str, str]:
    """The first sentence and what follows it in its paragraph; an abbreviation or a small letter ends no sentence."""
    for end in _SENTENCE_END.finditer(paragraph):
        head, tail = paragraph[: end.end()], paragraph[end.end() :].strip()
        if not _ABBREVIATION.search(head) and not tail[:1].islower():
            return head, tail
    return paragraph, ""


def _without_side_sections(rest: str) -> str:
    """The rest without Examples, See Also and References, in numpy's underlined form or as a label with a colon."""
    kept: list[str] = []
    lines = rest.split("\n")
    aside = False
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.strip() and _UNDERLINE.fullmatch(following.strip()):
            aside = _SIDE_TITLE.fullmatch(line.strip()) is not None
        elif _SIDE_LABEL.fullmatch(line.strip()):
            aside = True
        elif _LABEL.fullmatch(line):
            aside = False
        if not aside:
            kept.append(line)
    return "\n".join(kept)
