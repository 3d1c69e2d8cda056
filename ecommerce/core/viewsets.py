"""The base of every viewset: strict input, per-action serializers, headers every answer has."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.utils.cache import patch_vary_headers
from rest_framework import viewsets
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from ecommerce.core import rate_limits
from ecommerce.core.access import AccessRule
from ecommerce.core.conditional import refuse_other_conditions
from ecommerce.core.errors import DomainError
from ecommerce.core.idempotency import Operation
from ecommerce.core.methods import NamesMethods
from ecommerce.core.parsers import MergePatchParser
from ecommerce.core.query_strings import valid_query
from ecommerce.core.reusable_serializers import serializer_for
from ecommerce.core.serializers import StrictSerializer


class ShopViewSet(NamesMethods, viewsets.ViewSet):
    """Views say which serializer reads the body (`inputs`) and the query (`queries`) of an action.

    A query parameter that the action does not declare is a 400, like an unknown body field.
    """

    inputs: ClassVar[Mapping[str, type[StrictSerializer]]] = {}
    queries: ClassVar[Mapping[str, type[StrictSerializer]]] = {}
    rules: ClassVar[Mapping[str, AccessRule]] = {}
    """Who may call an action. All are named, or none: then each has the default of the settings."""
    cache_control: ClassVar[str] = "private, no-store"
    """Of what a view says nothing about: it is somebody's own."""
    varies_by: ClassVar[tuple[str, ...]] = ("Accept", "Authorization")
    """Request headers that an answer depends on. Each further call to add some takes 6
    microseconds."""
    further_parsers: ClassVar[Mapping[str, Sequence[type[BaseParser]]]] = {}
    """Media types that single actions read beside JSON."""
    rows_lead_to: ClassVar[Mapping[str, str]] = {}
    """Of actions that answer pages: where a row is read, which is this path and the row's id."""
    action: str | None = None  # type: ignore[assignment]  # DRF names it once it knows the request
    operation: Operation
    """Of a POST: what its service writes together with the effect (see `@idempotent`)."""
    lookup_value_regex = "[^/]+"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the query string of every request, whether the action reads it or not, and that a
        write has no condition that nobody looks at."""
        try:
            super().initial(request, *args, **kwargs)
            self._count_read(request)
            if self.action is not None:  # else the method is not allowed: that is what to say
                refuse_other_conditions(request)
            self.query = self._valid_query()
        except (APIException, DomainError):
            rate_limits.spend_uncounted(request)
            raise
        self.operation = Operation.unkeyed()

    def _count_read(self, request: Request) -> None:
        """Count what no policy of a method counts: reads, and methods that are not there."""
        method = getattr(self, self.action or "", None)
        if request.method in {"GET", "HEAD"} and not rate_limits.is_counted(method):
            policy = rate_limits.policy_of_read(request.META.get("QUERY_STRING", ""))
            rate_limits.spend_once(request, policy)
        elif self.action is None or request.method == "OPTIONS":
            rate_limits.spend_uncounted(request)

    def get_parsers(self) -> list[BaseParser]:
        """JSON, and what the action reads beside it."""
        # DRF asks for parsers before it has named the action, and drf-spectacular without request.
        method = (getattr(self.request, "method", None) or "").lower()
        further = self.further_parsers.get(self.action or self.action_map.get(method) or "", ())
        return [*super().get_parsers(), *(parser() for parser in further)]

    def get_permissions(self) -> Sequence[Any]:
        """The rule of the action.

        Raises:
            ImproperlyConfigured: the view names rules, but none for this action.
        """
        if not self.rules or self.action is None:
            return super().get_permissions()
        if self.action not in self.rules:
            raise ImproperlyConfigured(f"{type(self).__name__} names no rule for {self.action}.")
        return [self.rules[self.action]]

    @property
    def is_merge_patch(self) -> bool:
        """Whether the body is a JSON merge patch, in which null takes away (RFC 7396)."""
        media_type = (self.request.content_type or "").split(";")[0].strip().lower()
        return media_type == MergePatchParser.media_type

    def get_serializer(self, *args: Any, **kwargs: Any) -> StrictSerializer:
        """The input serializer of the current action (the browsable forms ask for it too)."""
        return self._input(*args, **kwargs, context=self._context())

    @property
    def _input(self) -> type[StrictSerializer]:
        return self.inputs.get(self.action or "", StrictSerializer)

    def _context(self) -> dict[str, Any]:
        return {"request": self.request, "view": self, "merge_attributes": self.is_merge_patch}

    def body(self) -> dict[str, Any]:
        """The validated body: absent fields stay absent on PATCH, get their defaults otherwise.

        Raises:
            ValidationError: with every fault.
        """
        if self.request.method == "PATCH":
            serializer = self.get_serializer(data=self.request.data)
            serializer.leave_out_absent()
            serializer.is_valid(raise_exception=True)
            return dict(serializer.validated_data)
        with serializer_for(self._input, self.request.data, self._context()) as serializer:
            serializer.is_valid(raise_exception=True)
            return dict(serializer.validated_data)

    def refuse_other_body(self, request: Request, operation: Operation) -> None:
        """Compare the body of a repeated request with that of the operation, before the stored
        answer goes out. For views whose bodies are not in the fingerprint; the others' are.

        Raises:
            KeyReusedError: it is another one.
        """

    def _valid_query(self) -> dict[str, Any]:
        if self.action is None:  # the method is not allowed: that is what to say
            return {}
        return valid_query(self.queries.get(self.action, StrictSerializer), self.request)

    def get_authenticate_header(self, request: Request) -> str:
        """What a 401 offers: each way to say who is calling, where DRF names the first alone."""
        offers = (way.authenticate_header(request) for way in self.get_authenticators())
        return ", ".join(offer for offer in offers if offer)

    def check_permissions(self, request: Request) -> None:
        """Anyone may ask which methods there are; one that is not there is 405, not 403."""
        if request.method != "OPTIONS" and self.action is not None:
            super().check_permissions(request)

    def links(self, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Name and address of what the browsable page of this answer leads to."""
        base = self.rows_lead_to.get(self.action or "")
        rows = data["items"] if base is not None and "next" in data else []
        return [
            (row.get("name") or row.get("username") or row["id"], f"{base}/{row['id']}")
            for row in rows
            if "id" in row  # `?fields=` may leave it out
        ]

    def finalize_response(
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> Response:
        """Add the headers that do not depend on the action."""
        answer: Response = super().finalize_response(request, response, *args, **kwargs)
        answer.setdefault("Cache-Control", self.cache_control)
        patch_vary_headers(answer, self.varies_by)
        return answer
