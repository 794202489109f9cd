"""Characters: personas, their cards and pictures, and a talk to try one out."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import File, Query, Request, Response, UploadFile
from pydantic import BaseModel, Field

from corpusmith.api.access import needs
from corpusmith.api.asking import After, Body, Limit, Page, Search, StudioOf, page_of, place_in
from corpusmith.api.downloads import disposition
from corpusmith.api.errors import Fault, fault_of
from corpusmith.api.etags import TAGGED, GuardOf, TagOf
from corpusmith.api.limits import costly
from corpusmith.api.router import rest
from corpusmith.cards.read import MAX_BYTES
from corpusmith.errors import NotFound, SpecError
from corpusmith.nouns import Character, Scenario
from corpusmith.service.character_talk import Asked, Said, prompts_of, talk
from corpusmith.service.characters import ImportedCard, OnConflict
from corpusmith.service.uploads import safe_name
from corpusmith.values import Language, Message

router = rest("/characters", tags=["characters"])

MOST_FILES = 200
MOST_IMPORT_BYTES = 256 << 20
_SAME = (
    *("name", "description", "personality", "background", "speaking_style", "example_dialogues"),
    *("greeting", "system_prompt", "creator", "language"),
)

Long = Annotated[str, Field(max_length=200_000)]
Tag = Annotated[str, Field(min_length=1, max_length=100)]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class CharacterFields(Body):
    """A persona. Every text may be empty."""

    description: Long = Field(default="", examples=["在老城开面馆的中年人。"])
    personality: Long = Field(default="", examples=["沉默寡言，心软。"])
    background: Long = ""
    speaking_style: Long = Field(default="", examples=["句子短，爱反问。"])
    example_dialogues: Long = ""
    greeting: Long = Field(default="", description="The character's first message.")
    system_prompt: Long = ""
    tags: Sequence[Tag] = Field(default=(), max_length=100)
    creator: str = Field(default="", max_length=200)
    language: Language = "zh"


class NewCharacter(CharacterFields):
    """A character to be, or one that is not saved (yet)."""

    name: str = Field(min_length=1, max_length=200, examples=["老周"])

    def character(self) -> Character:
        """What it describes."""
        return Character(**{**self.model_dump(), "tags": tuple(self.tags)})


class CharacterChange(Body):
    """What is given changes; the rest stays."""

    description: Long | None = None
    personality: Long | None = None
    background: Long | None = None
    speaking_style: Long | None = None
    example_dialogues: Long | None = None
    greeting: Long | None = None
    system_prompt: Long | None = None
    tags: Sequence[Tag] | None = Field(default=None, max_length=100)
    creator: str | None = Field(default=None, max_length=200)
    language: Language | None = None


class CharacterView(BaseModel):
    """A character without its picture's bytes."""

    name: str
    description: str
    personality: str
    background: str
    speaking_style: str
    example_dialogues: str
    greeting: str
    system_prompt: str
    tags: Sequence[str]
    creator: str
    language: Language
    picture: bool = Field(description="It has one: `GET /characters/{name}/picture`.")


class OriginalCard(BaseModel):
    """A community card as it came."""

    card: dict[str, Any] | None = Field(description="null: the character is not from a card.")


class CopyBody(Body):
    """What the copy is called."""

    name: Name | None = Field(default=None, description="null: as the one that is copied.")


class CardResult(BaseModel):
    """What became of one card."""

    file: str
    outcome: Literal["made", "replaced", "renamed", "refused"]
    name: str | None
    error: Fault | None = None


class ImportResult(BaseModel):
    """Each card with what became of it."""

    results: list[CardResult]
    made: int
    replaced: int
    renamed: int
    refused: int


class Setting(Body):
    """The scenario that a prompt is shown for."""

    name: Name = "日常对话"
    description: str = Field(default="", max_length=20_000)


class PreviewBody(Body):
    """Unsaved fields, and what the prompt is for."""

    character: NewCharacter
    scenario: Setting = Setting()
    mode: Literal["single", "turns"] = "single"
    turns: int = Field(default=3, ge=1, le=20)


class TalkLine(Body):
    """One message of a talk."""

    role: Literal["user", "assistant"]
    content: str = Field(min_length=1, max_length=8000)


class ChatBody(Body):
    """A talk so far; the last message is the user's."""

    character: NewCharacter | Name = Field(
        description="Unsaved fields, or the name of a stored or shipped one.", examples=["老周"]
    )
    connection: Name
    model: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    messages: Sequence[TalkLine] = Field(min_length=1, max_length=40)


@router.get("", dependencies=[needs("read")])
def list_characters(
    studio: StudioOf, search: Search = None, limit: Limit = 50, after: After = None
) -> Page[CharacterView]:
    """Stored characters, by name."""
    found = studio.characters.listed(search, limit=limit + 1, after=place_in(after, str))
    return page_of([view_of(one, picture=has) for one, has in found], limit, lambda one: one.name)


@router.post("", status_code=201, dependencies=[needs("edit")])
def add_character(studio: StudioOf, body: NewCharacter) -> CharacterView:
    """Store a new one. 409 when the name is taken."""
    return view_of(studio.characters.add(body.character()))


@router.post("/preview", dependencies=[needs("read")])
def preview_character(studio: StudioOf, body: PreviewBody) -> list[Asked]:
    """The prompts that a dialogue task would send for these unsaved fields. Nothing is sent."""
    scenario = Scenario(name=body.scenario.name, description=body.scenario.description)
    return list(prompts_of(body.character.character(), scenario, mode=body.mode, turns=body.turns))


@router.post("/chat", dependencies=[needs("edit"), costly()])
def chat_with_character(studio: StudioOf, body: ChatBody) -> Said:
    """Talk with a character to try it out. One call; nothing is stored, no record comes of it, and
    no statistics of spend hold it: what it cost is in the answer."""
    wish = body.character
    found = studio.characters.find(wish) if isinstance(wish, str) else wish.character()
    return talk(
        studio,
        found,
        [Message(one.role, one.content) for one in body.messages],
        connection=body.connection,
        model=body.model,
        temperature=body.temperature,
    )


@router.post("/import", dependencies=[needs("edit"), costly()], max_body_size=MOST_IMPORT_BYTES)
def import_characters(
    studio: StudioOf,
    files: Annotated[
        list[UploadFile], File(min_length=1, description="JSON, PNG, CHARX, or a zip of cards.")
    ],
    on_conflict: Annotated[
        OnConflict, Query(description="What becomes of a card whose name is taken.")
    ] = "refuse",
) -> ImportResult:
    """Store cards of the community's form (V1, V2, V3) or our own, several at once. A card that
    cannot be read is in the answer with the reason, and holds up no other."""
    if len(files) > MOST_FILES:
        raise SpecError("cards_many", most=MOST_FILES)
    results: list[CardResult] = []
    for one in files:
        data = one.file.read(MOST_IMPORT_BYTES)
        name = safe_name(one.filename or "card")
        for card in studio.characters.import_bytes(data, name, on_conflict=on_conflict):
            results.append(_result(card, studio.language))
    counts = {kind: sum(one.outcome == kind for one in results) for kind in _OUTCOMES}
    return ImportResult(results=results, **counts)


@router.get("/{name:noun}", responses=TAGGED, dependencies=[needs("read")])
def get_character(studio: StudioOf, name: str, tag: TagOf) -> CharacterView:
    """One stored character."""
    return tag.shown(view_of(studio.characters.get(name)))


@router.patch("/{name:noun}", dependencies=[needs("edit")])
def change_character(
    studio: StudioOf, name: str, body: CharacterChange, guard: GuardOf
) -> CharacterView:
    """Change some of its fields."""
    guard.refuse_changed(lambda: view_of(studio.characters.get(name)))
    given = {key: one for key, one in body.model_dump().items() if one is not None}
    if body.tags is not None:
        given["tags"] = tuple(body.tags)
    return guard.shown(view_of(studio.characters.update(name, **given)))


@router.delete("/{name:noun}", status_code=204, dependencies=[needs("edit")])
def delete_character(studio: StudioOf, name: str, guard: GuardOf) -> None:
    """Delete it. 409 while a dataset binds it."""
    guard.refuse_changed(lambda: view_of(studio.characters.get(name)))
    studio.characters.delete(name)


@router.post("/{name:noun}/copy", status_code=201, dependencies=[needs("edit")])
def copy_character(studio: StudioOf, name: str, body: CopyBody) -> CharacterView:
    """Store a stored or shipped one anew, under another name if one is given."""
    return view_of(studio.characters.copy(name, body.name))


@router.get(
    "/{name:noun}/picture",
    dependencies=[needs("read")],
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, 304: {"description": "It is still the same."}},
)
def get_character_picture(studio: StudioOf, name: str, request: Request) -> Response:
    """Its picture, a PNG; of a stored or a shipped one."""
    image = studio.characters.find(name).image
    if image is None:
        raise NotFound("no_picture_here", kind="character", name=name)
    tag = f'"{hashlib.sha256(image).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(image, media_type="image/png", headers=headers)


@router.put(
    "/{name:noun}/picture",
    status_code=204,
    dependencies=[needs("edit")],
    max_body_size=MAX_BYTES + (1 << 20),
)
def set_character_picture(
    studio: StudioOf, name: str, file: Annotated[UploadFile, File(description="A PNG.")]
) -> None:
    """Give it a picture, a PNG. A card inside the PNG is taken out."""
    studio.characters.set_picture(name, file.file.read(MAX_BYTES + 1))


@router.delete("/{name:noun}/picture", status_code=204, dependencies=[needs("edit")])
def delete_character_picture(studio: StudioOf, name: str) -> None:
    """Take its picture away."""
    studio.characters.set_picture(name, None)


@router.get(
    "/{name:noun}/card",
    dependencies=[needs("read")],
    response_class=Response,
    responses={200: {"content": {"application/json": {}, "image/png": {}}}},
)
def get_character_card(
    studio: StudioOf,
    name: str,
    form: Annotated[Literal["v1", "v2", "v3"], Query()] = "v2",
    as_: Annotated[Literal["json", "png"], Query(alias="as")] = "json",
) -> Response:
    """Download it as a card that other programs read; as PNG the card is inside its picture."""
    data = studio.characters.card(name, form=form, kind=as_)
    kind = "image/png" if as_ == "png" else "application/json"
    headers = {"Content-Disposition": disposition(safe_name(f"{name}.{as_}"))}
    return Response(data, media_type=kind, headers=headers)


@router.get("/{name:noun}/original", dependencies=[needs("read")])
def get_character_original(studio: StudioOf, name: str) -> OriginalCard:
    """The community card that it was made from, also what Corpusmith does not know of it; of a
    stored or a shipped one."""
    card = studio.characters.find(name).card
    return OriginalCard(card=None if card is None else dict(card))


# ---------------------------------------------------------------- views

_OUTCOMES = ("made", "replaced", "renamed", "refused")


def view_of(one: Character, *, picture: bool | None = None) -> CharacterView:
    same: dict[str, Any] = {name: getattr(one, name) for name in _SAME}
    has = one.image is not None if picture is None else picture
    return CharacterView(**same, tags=list(one.tags), picture=has)


def _result(one: ImportedCard, language: Language) -> CardResult:
    error = None if one.error is None else fault_of(one.error, language)
    return CardResult(file=one.file, outcome=one.outcome, name=one.name, error=error)
