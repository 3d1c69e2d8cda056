"""The variants of a row, completed with what is stored of them and the row does not say."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from catalog.documents import ProductRow
from catalog.importing.rows import ImportRow
from catalog.serializers import VariantInput

_STORED_AS: Final = {
    name: str(field.source or name) for name, field in VariantInput().fields.items()
}
"""What each member of a variant is stored as."""


def completed(
    row: ImportRow, variants: Sequence[Mapping[str, Any]], stored: ProductRow
) -> list[dict[str, Any]]:
    """Those of the row, as ProductInput has typed them; what the file has no place for stays."""
    present = {variant["sku"]: variant for variant in stored.get("variants", ())}
    return [
        {**variant, **_kept(said, present.get(variant["sku"], {}))}
        for said, variant in zip(row.values["variants"], variants, strict=True)
    ]


def _kept(said: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    unsaid = {stored for name, stored in _STORED_AS.items() if name not in said}
    return {name: value for name, value in present.items() if name in unsaid}
