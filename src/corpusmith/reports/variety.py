"""The sections on what the checks found, on duplicates and on diversity.

Owns: their tables, charts and definitions. Does not own: the figures (`diversity.py`, the service).
"""

from __future__ import annotations

from collections.abc import Iterator

from corpusmith.reports import charts, commands
from corpusmith.reports.counting import Bin
from corpusmith.reports.diversity import (
    COMPRESSED_BYTES,
    DISTINCT_TOKENS,
    SIMILARITY_BINS,
    TREE_DEPTH,
    Branch,
    Diversity,
    Similarity,
)
from corpusmith.reports.figures import decimal, number, percent, share_of
from corpusmith.reports.markup import Markup, element
from corpusmith.reports.report import Report
from corpusmith.reports.words import (
    Words,
    folded,
    hint,
    label,
    missing,
    pairs,
    panel,
    panels,
    section,
    table,
)

ICICLE_HEIGHT = 420


def checks(report: Report, words: Words) -> Markup:
    """Verdicts on the records that are here, and duplicates among them."""
    return section(words, "checks", _verdicts(report, words), _duplicates(report, words))


def _verdicts(report: Report, words: Words) -> Markup:
    if not report.checks:
        return missing(words("not_checked"), commands.about(report, "check", "--apply flag"))
    return table(
        words("verdicts"),
        [words("check"), words("passed"), words("flagged"), words("masked")],
        [
            (
                words.of("report.check", one.name),
                number(one.passed),
                number(one.flagged),
                number(one.masked),
            )
            for one in report.checks
        ],
        right=(1, 2, 3),
    )


def _duplicates(report: Report, words: Words) -> Markup:
    found = report.duplicates
    looked_at = "duplicates_sampled" if found.sampled else "duplicates_whole"
    shown = None
    if found.pairs:
        rows = [
            (f"#{one.record}", f"#{one.earlier}", percent(one.similarity)) for one in found.pairs
        ]
        headers = [words("record"), words("repeats"), words("similarity")]
        body = table(words("pairs"), headers, rows, right=(2,))
        shown = folded(words("pairs"), body)
    return panel(
        words("duplicates"),
        pairs(
            [
                (words("exact_duplicates"), _of(found.exact, found.looked_at)),
                (words("near_duplicates"), _of(found.near, found.looked_at)),
                (words("duplicates_rejected"), number(found.rejected)),
            ]
        ),
        hint(words(looked_at, n=number(found.looked_at), threshold=decimal(found.threshold, 1))),
        hint(words("duplicates_crowded", n=number(found.crowded))) if found.crowded else None,
        shown,
        wide=True,
    )


def _of(count: int, whole: int) -> str:
    return f"{number(count)} ({percent(share_of(count, whole))})"


# ---------------------------------------------------------------- diversity


def diversity(report: Report, words: Words) -> Markup:
    """How varied the texts are, with what each figure means."""
    found = report.diversity
    if not found.tokens:
        return section(words, "diversity", missing(words("no_text")))
    return section(
        words,
        "diversity",
        panels(
            panel(words("repetition"), *_figures(found, words)), _similar(found.similarity, words)
        ),
        panel(words("openings"), *_openings(found.openings, words), wide=True),
    )


def _figures(found: Diversity, words: Words) -> Iterator[Markup]:
    rows = [
        (words("distinct", n=one.n), percent(one.share), charts.bar(one.share, 1.0))
        for one in found.distinct
    ]
    yield table(
        words("distinct_n"), [words("figure"), words("value"), ""], rows, right=(1,), wide=(2,)
    )
    part = "" if found.tokens == DISTINCT_TOKENS else words("too_few", n=number(DISTINCT_TOKENS))
    yield hint(words("distinct_hint", n=number(found.tokens)) + part)
    yield pairs([(words("compression"), decimal(found.compression))])
    size = found.compressed_bytes
    part = "" if size == COMPRESSED_BYTES else words("too_few", n=number(COMPRESSED_BYTES))
    yield hint(words("compression_hint", n=number(size)) + part)


def _similar(found: Similarity | None, words: Words) -> Markup:
    title = words("self_similarity")
    if found is None:
        return panel(title, missing(words("too_little")))
    bins = [
        Bin(low=place * 10, high=(place + 1) * 10 + (place == SIMILARITY_BINS - 1), count=count)
        for place, count in enumerate(found.bins)
    ]
    return panel(
        title,
        charts.histogram(bins, words("similarity_axis")),
        pairs(
            [
                (words("mean"), percent(found.mean)),
                (words("p99"), percent(found.p99)),
                (words("highest"), percent(found.most)),
            ]
        ),
        hint(words("similarity_hint", n=number(found.pairs))),
    )


def _openings(root: Branch | None, words: Words) -> Iterator[Markup]:
    if root is None or not root.branches:
        yield missing(words("too_little"))
        return
    title = words("openings")
    yield hint(words("openings_hint", n=number(root.count)))
    yield charts.icicle(root, TREE_DEPTH, ICICLE_HEIGHT, words("others"), title)
    rows = [
        (
            element("b", label(one.word)) if one.word else words("others"),
            number(one.count),
            percent(share_of(one.count, root.count)),
        )
        for one in root.branches
    ]
    headers = [words("first_words"), words("records"), words("share")]
    yield folded(words("as_table"), table(title, headers, rows, right=(1, 2)))
