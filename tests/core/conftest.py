"""Two ways to one answer: Django alone, and Django with the layer before it; the API document."""

import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler

from ecommerce.core.public_reads import PublicReads
from tests.client import ApiClient
from tests.core.wsgi_calls import Calls


@pytest.fixture
def django() -> Calls:
    return Calls(WSGIHandler())


@pytest.fixture
def both(django: Calls) -> Calls:
    return Calls(PublicReads(django.application))


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that reach Django."""
    seen: list[str] = []
    handle = WSGIHandler.__call__

    def noting(self: WSGIHandler, environ: Any, start_response: Any) -> Any:
        seen.append(environ["PATH_INFO"])
        return handle(self, environ, start_response)

    monkeypatch.setattr(WSGIHandler, "__call__", noting)
    return seen


@pytest.fixture(params=[False, True], ids=["limits off", "limits on"])
def limits(request: pytest.FixtureRequest) -> bool:
    """Whether requests are limited, and answers say so: each test runs both ways."""
    if request.param:
        request.getfixturevalue("limits_on")
    return bool(request.param)


@pytest.fixture
def document(anyone: ApiClient) -> Any:
    """The OpenAPI document."""
    answer = anyone.get("/openapi.json")
    assert answer.status == 200
    return json.loads(answer.body)
