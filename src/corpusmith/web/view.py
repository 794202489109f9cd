"""What a page is made with: who asks, in which language, and how it is answered.

Owns: the layout's own data, redirects with a message. Does not own: any page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from corpusmith.api.access import Principal, principal_of
from corpusmith.api.asking import studio_of
from corpusmith.api.cookies import own_path
from corpusmith.messages import LANGUAGES
from corpusmith.service.studio import Studio
from corpusmith.values import Language
from corpusmith.web import said
from corpusmith.web.nav import PAGES, SECTIONS, Group
from corpusmith.web.render import rendered, spoken

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
THEME_COOKIE = "corpusmith_theme"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One request for a page. `ViewOf` makes it; a page that anybody may see uses `OpenViewOf`."""

    request: Request
    language: Language
    studio: Studio
    who: Principal | None
    """Who asks; None: the page does not care."""

    def page(self, template: str, /, *, status: int = 200, **data: Any) -> HTMLResponse:
        """A whole page."""
        response = page_of(self.request, template, self.language, self.who, status, data)
        if self.request.cookies.get(said.COOKIE):
            response.delete_cookie(said.COOKIE, path="/")
        return response

    def part(self, template: str, /, *, status: int = 200, **data: Any) -> HTMLResponse:
        """A piece of a page, without the layout."""
        return HTMLResponse(rendered(template, self.language, view=self, **data), status)

    def go(
        self,
        path: str,
        key: str = "",
        /,
        *,
        tone: said.Tone = "good",
        draft: str = "",
        **data: Any,
    ) -> Response:
        """On to another page of ours, which says the text `key`; `draft`: a form's, forgotten."""
        response: Response = RedirectResponse(path, 303)
        if self.request.headers.get("hx-request"):
            response = Response(status_code=200, headers={"HX-Redirect": path})
        if key or draft:
            said.send(response, said.Said(key=key, data=data, tone=tone, draft=draft))
        return response

    def say(self, key: str, /, **data: Any) -> str:
        """A text. Raises KeyError for a key that there is not."""
        return spoken(self.language)(key, **data)

    def may(self, scope: Any) -> bool:
        """Whether who asks holds the scope."""
        return self.who is not None and self.who.may(scope)


def page_of(
    request: Request,
    template: str,
    language: Language,
    who: Principal | None,
    status: int,
    data: dict[str, Any],
) -> HTMLResponse:
    """A page in the layout; also for errors, which have no View."""
    html = rendered(
        template,
        language,
        who=who,
        nav=sections_for(who),
        path=request.url.path,
        query=Query(request.query_params),
        here=here_of(request),
        theme=theme_of(request),
        languages=LANGUAGES,
        nonce=request.scope.get("state", {}).get("nonce", ""),
        said=said.read(request),
        **data,
    )
    return HTMLResponse(html, status)


class Query(dict[str, str]):
    """What stands in the address behind `?`, for templates; what does not is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def sections_for(who: Principal | None) -> list[tuple[str, list[Group]]]:
    """The navigation: for each heading the groups that this person may see."""
    seen = [one for one in PAGES if one.section and who is not None and who.may(one.scope)]
    parts = [(name, [one for one in seen if one.section == name]) for name in SECTIONS]
    return [(name, groups) for name, groups in parts if groups]


def theme_of(request: Request) -> Theme:
    """What the person chose; `auto`: as the system has it."""
    wish = request.cookies.get(THEME_COOKIE)
    return wish if wish in THEMES else "auto"


def here_of(request: Request) -> str:
    """Path and query of the page, to come back to; of what was posted, the page it was on."""
    if request.method == "GET":
        query = f"?{request.url.query}" if request.url.query else ""
        raw: bytes = request.scope.get("raw_path", b"/")
        return raw.decode("ascii", "replace") + query
    before = urlsplit(request.headers.get("referer", ""))
    return own_path(f"{before.path}?{before.query}" if before.query else before.path)


async def _view(request: Request) -> View:
    return await _made(request, await principal_of(request))


async def _open_view(request: Request) -> View:
    return await _made(request, None)


async def _made(request: Request, who: Principal | None) -> View:
    studio = await studio_of(request)
    return View(request=request, language=studio.language, studio=studio, who=who)


ViewOf = Annotated[View, Depends(_view)]
OpenViewOf = Annotated[View, Depends(_open_view)]
