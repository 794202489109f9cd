"""What review shows on a terminal: a record with its review, statistics, agreement, history.

Owns: how they look. Does not own: numbers (the service), a record's own look (`record.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from corpusmith.cli.out import number, show_pairs, show_table
from corpusmith.cli.record import show_record
from corpusmith.cli.session import Session
from corpusmith.cli.widths import cut, harmless

if TYPE_CHECKING:
    from corpusmith.quality.agreement import Agreement
    from corpusmith.service.review_agreement import JudgeAgreement, ReviewAgreement
    from corpusmith.service.reviews import Look
    from corpusmith.store.review_values import Event, RecordVersion, Review, ReviewStatistics
    from corpusmith.values import Json, Record

DIFFERENT_SHOWN = 10
NOTE_COLUMNS = 60


def show_look(session: Session, look: Look) -> None:
    """The record, what checks and the judge say of it, and the reviewer's own review."""
    show_record(session, look.record)
    facts = record_facts(session, look.record)
    if facts:
        print("  " + session.say("show.separator").join(facts))
    if look.review is not None:
        told = review_text(session, look.review)
        if look.review.version < look.record.version:
            told += session.say("review.of_version", version=look.review.version)
        print("  " + session.say("review.yours", review=told))


def record_facts(session: Session, record: Record) -> list[str]:
    """Score, flags, tags, edits: those that there are."""
    facts = []
    if record.score is not None:
        facts.append(session.say("review.score", score=f"{record.score:.2f}"))
    if record.flags:
        names = ", ".join(_flag(session, record, name) for name in record.flags)
        facts.append(session.say("review.flags", names=names))
    if record.tags:
        facts.append(session.say("review.tags", names=", ".join(record.tags)))
    if record.version > 1:
        facts.append(session.say("review.version", version=record.version))
    return facts


def _flag(session: Session, record: Record, name: str) -> str:
    """A check's name; with the version that it flagged, where that is not the newest."""
    verdict = record.verdicts.get(name)
    version = verdict.get("version") if isinstance(verdict, dict) else None
    return name if version is None else name + session.say("review.of_version", version=version)


def review_text(session: Session, review: Review) -> str:
    """`approved, 4, “note”`"""
    return _said(session, review.state, review.rating, review.note)


def _said(session: Session, state: str, rating: int | None, note: str) -> str:
    parts = [session.say(f"review.state.{state}")]
    if rating is not None:
        parts.append(session.say("review.rated", rating=rating))
    if note:
        parts.append(session.say("review.noted", note=cut(" ".join(note.split()), NOTE_COLUMNS)))
    return session.say("cli.comma").join(parts)


def show_details(session: Session, record: Record) -> None:
    """Verdicts of the checks, and where the record comes from."""
    rows = [
        (session.say("review.verdict", name=name), _flat(one))
        for name, one in record.verdicts.items()
    ]
    rows += [(harmless(str(name)), _flat(one)) for name, one in record.provenance.items()]
    rows.insert(0, (session.say("column.category"), harmless(record.category)))
    show_pairs(rows)


def _flat(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return harmless(text)


# ---------------------------------------------------------------- numbers


def show_statistics(session: Session, found: ReviewStatistics) -> None:
    """States, ratings, and a line for each reviewer."""
    say = session.say
    rows = [(say("column.records"), number(found.total))]
    for state, count in found.by_state.items():
        share = f" ({count / found.total:.1%})" if found.total else ""
        rows.append((say(f"review.state.{state}"), f"{number(count)}{share}"))
    mean = say("review.mean", mean=_number(found.mean_rating)) if found.rated else ""
    rows.append((say("review.rated_records"), number(found.rated) + mean))
    rows.append((say("review.edited_records"), number(found.edited)))
    show_pairs(rows)
    if not found.reviewers:
        return
    print()
    columns = ("reviewer", "reviewed", "approved", "rejected_by", "rated", "mean_rating")
    table = [
        (
            one.reviewer,
            number(one.reviewed),
            number(one.approved),
            number(one.rejected),
            number(one.rated),
            _number(one.mean_rating),
        )
        for one in found.reviewers
    ]
    show_table([say(f"column.review.{name}") for name in columns], table, right=range(1, 6))


def show_agreement(session: Session, found: ReviewAgreement, judge: JudgeAgreement) -> None:
    """Pairs of reviewers, all together, what they differ on, and the judge beside them."""
    say = session.say
    if found.common:
        print(say("review.agreement.common", n=number(found.common)))
        print()
        _show_pairs(session, found)
        print()
        print(say("review.agreement.ratings", **_agreement(found.ratings)))
        _show_different(session, found)
    else:
        print(say("review.agreement.none"))
    if judge.rated or judge.approved_mean is not None or judge.rejected_mean is not None:
        print()
        _show_judge(session, judge)


def _show_pairs(session: Session, found: ReviewAgreement) -> None:
    columns = ("pair", "decided", "same", "state_kappa", "both_rated", "rating_kappa")
    rows = [
        (
            " – ".join(one.reviewers),
            number(one.states.common),
            number(one.states.same),
            _number(one.states.kappa),
            number(one.rated),
            _number(one.kappa),
        )
        for one in found.pairs
    ]
    headers = [session.say(f"column.review.{name}") for name in columns]
    show_table(headers, rows, right=range(1, 6))


def _show_different(session: Session, found: ReviewAgreement) -> None:
    if not found.different:
        return
    print()
    print(session.say("review.agreement.different", n=number(found.different)))
    rows = [
        (one.record_id, _by_reviewer(session, one.states, one.ratings))
        for one in found.most_different[:DIFFERENT_SHOWN]
    ]
    headers = [session.say("column.id"), session.say("column.review.said")]
    show_table(headers, rows, right=(0,))


def _by_reviewer(session: Session, states: Mapping[str, str], ratings: Mapping[str, int]) -> str:
    names = sorted({*states, *ratings})
    parts = []
    for name in names:
        said = [session.say(f"review.state.{states[name]}")] if name in states else []
        said += [str(ratings[name])] if name in ratings else []
        parts.append(session.say("review.by", who=name, said=session.say("cli.comma").join(said)))
    return session.say("show.separator").join(parts)


def _show_judge(session: Session, judge: JudgeAgreement) -> None:
    say = session.say
    print(say("review.judge.head", n=number(judge.rated), bias=_signed(judge.bias)))
    if judge.rated:
        print(say("review.agreement.ratings", **_agreement(judge.agreement)))
    print(
        say(
            "review.judge.means",
            approved=_number(judge.approved_mean),
            rejected=_number(judge.rejected_mean),
        )
    )


def _agreement(found: Agreement) -> dict[str, str]:
    return {
        "exact": _percent(found.exact),
        "near": _percent(found.within_one),
        "kappa": _number(found.kappa),
        "alpha": _number(found.alpha),
    }


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


# ---------------------------------------------------------------- history


def show_history(
    session: Session, events: Sequence[Event], versions: Sequence[RecordVersion]
) -> None:
    """Who did what, oldest first; then the versions."""
    say = session.say
    if not events:
        print(say("review.history.none"))
        return
    rows = [
        (
            one.created_at[:19].replace("T", " "),
            one.reviewer,
            event_text(session, one) + (say("review.history.undone") if one.undone else ""),
        )
        for one in events
    ]
    headers = [say(f"column.review.{name}") for name in ("when", "reviewer", "did")]
    show_table(headers, rows, whole=(0, 1))
    if len(versions) > 1:
        print()
        table = [
            (
                one.version,
                one.created_at[:19].replace("T", " "),
                one.author or say(f"review.origin.{one.origin}"),
            )
            for one in versions
        ]
        headers = [say(f"column.review.{name}") for name in ("version", "when", "author")]
        show_table(headers, table, right=(0,), whole=(1, 2))


def event_text(session: Session, event: Event) -> str:
    """What was done, in words."""
    say = session.say
    parts = []
    if "version" in event.after:
        versions = {"before": event.before["version"], "after": event.after["version"]}
        parts.append(say(f"review.did.{event.action}", **versions))
    if review := event.after.get("review"):
        parts.append(_said(session, review["state"], review["rating"], review["note"]))
    if "tags" in event.after:
        before, after = set(event.before["tags"]), set(event.after["tags"])
        parts += [f"+{tag}" for tag in sorted(after - before)]
        parts += [f"−{tag}" for tag in sorted(before - after)]
    text = say("cli.comma").join(parts)
    return say("review.did.bulk", what=text) if event.action == "bulk" else text
