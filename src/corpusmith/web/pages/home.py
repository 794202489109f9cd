"""Home: what runs, what was made lately, what it cost, and the first steps of a new user."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from corpusmith.api.access import needs
from corpusmith.service.simulator_process import CONNECTION, SimulatorProcess
from corpusmith.web.router import pages
from corpusmith.web.view import ViewOf

router = pages()


@router.get("/", dependencies=[needs("read")])
def home_page(view: ViewOf) -> Response:
    """The first page."""
    return view.page("home/home.html", look=view.studio.overview.look())


@router.get("/home/live", dependencies=[needs("read")])
def home_live(view: ViewOf) -> Response:
    """What changes on it by itself."""
    return view.part("home/live.html", look=view.studio.overview.look())


@router.post("/simulator/start", dependencies=[needs("edit")])
def start_simulator(request: Request, view: ViewOf) -> Response:
    """Start the simulator beside the server, and store a connection to it."""
    simulator_of(request).start(view.studio)
    return view.go("/", "web.simulator.started", name=CONNECTION)


@router.post("/simulator/stop", dependencies=[needs("edit")])
def stop_simulator(request: Request, view: ViewOf) -> Response:
    """Stop it; the connection stays."""
    simulator_of(request).stop(view.studio)
    return view.go("/", "web.simulator.stopped")


def simulator_of(request: Request) -> SimulatorProcess:
    """The one of this server."""
    found: SimulatorProcess = request.app.state.simulator
    return found
