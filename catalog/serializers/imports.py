"""Imports and exports: input, and the shape of answers."""

from typing import Any

from rest_framework import serializers

from catalog.documents import FileFormat, ImportOutcome, ImportState
from catalog.serializers.queries import FilterQuery
from ecommerce.core.fields import FlagField, IdField
from ecommerce.core.serializers import FieldErrorShape, PageQuery, StrictSerializer


class ImportQuery(StrictSerializer):
    """Query of `POST /products/imports`."""

    dry_run = FlagField(default=False, help_text="Check and report every row, write nothing.")


class ImportForm(StrictSerializer):
    """The file as part of a form."""

    file = serializers.FileField(
        allow_empty_file=True, help_text="Its name ends in .csv, .json, .jsonl or .ndjson."
    )


class ImportResultQuery(PageQuery):
    """Query of `GET /products/imports/{id}/rows`."""

    outcome = serializers.ChoiceField(
        list(map(str, ImportOutcome)), required=False, help_text="Only rows that came to this."
    )


class ExportQuery(FilterQuery):
    """Query of `GET /products/exports`."""

    format = serializers.ChoiceField(
        [str(FileFormat.CSV), str(FileFormat.JSONL)],
        default=str(FileFormat.CSV),
        help_text="csv has Shopify's columns, jsonl every member of a product.",
    )


class NotKeptShape(serializers.Serializer[Any]):
    """What the file says and a product cannot hold."""

    name = serializers.CharField()
    count = serializers.IntegerField()


class ImportFaultShape(serializers.Serializer[Any]):
    """Why an import failed as a whole."""

    code = serializers.CharField()
    detail = serializers.CharField()


class ImportJobShape(serializers.Serializer[Any]):
    """An import with its progress."""

    id = IdField()
    state = serializers.ChoiceField(list(map(str, ImportState)))
    format = serializers.ChoiceField(list(map(str, FileFormat)))
    size = serializers.IntegerField(help_text="Bytes of the file.")
    dry_run = serializers.BooleanField()
    total = serializers.IntegerField(allow_null=True, help_text="Rows; null until counted.")
    done = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    not_kept = NotKeptShape(many=True)
    fault = ImportFaultShape(allow_null=True)
    by = IdField(help_text="The user who sent it.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True, help_text="When last taken up.")
    finished_at = serializers.DateTimeField(allow_null=True)


class ImportJobPageShape(serializers.Serializer[Any]):
    """A page of imports, newest first."""

    items = ImportJobShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)


class ImportResultShape(serializers.Serializer[Any]):
    """What became of one row; in a dry run, what would have."""

    id = IdField()
    number = serializers.IntegerField(help_text="From 1 on, in the order of the file.")
    line = serializers.IntegerField(
        allow_null=True, help_text="Where it starts; null in a JSON document."
    )
    outcome = serializers.ChoiceField(list(map(str, ImportOutcome)))
    product_id = IdField(allow_null=True)
    errors = FieldErrorShape(many=True)  # type: ignore[assignment]  # as in problems
    warnings = serializers.ListField(child=serializers.CharField())
    not_kept = serializers.ListField(child=serializers.CharField())


class ImportResultPageShape(serializers.Serializer[Any]):
    """A page of row results, in the order of the file."""

    items = ImportResultShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    count = serializers.IntegerField(required=False)
    count_is_exact = serializers.BooleanField(required=False)
