"""Lists of products: which products, in which order, a page at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from bson import ObjectId

from catalog.documents import Product, ProductStatus
from catalog.documents.products import BY_NAME, BY_PRICE, NEWEST
from catalog.keys import brand_key, name_key, sku_key, tag_key, words
from catalog.selectors.products import INTERNAL
from ecommerce.core.mongo import collection, collection_without_zones
from ecommerce.core.pagination import Ordering, Page, PageRequest, fetch_page

RELEVANCE: Final = "relevance"
ORDERINGS: Final[Mapping[str, Ordering]] = {
    "newest": NEWEST,
    "price": BY_PRICE,
    "-price": tuple((field, -sign) for field, sign in BY_PRICE),
    "name": BY_NAME,
    RELEVANCE: BY_NAME,
}
FACETED: Final = frozenset({"category", "brand", "tag", "price", "stock"})
"""Parts of the filter that facets stand for."""
_LAST: Final = "\U0010ffff"
_SUGGESTIONS_READ: Final = 50
"""Products looked at in one read of names: several may have one name."""


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """What a list is narrowed to. Values of one field are alternatives; fields must all match."""

    statuses: tuple[str, ...] = (ProductStatus.ACTIVE,)
    q: str = ""
    categories: tuple[str, ...] = ()
    """Slugs; each stands for everything below it too."""
    brands: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    min_price: int | None = None
    """Minor units, inclusive; so is the other."""
    max_price: int | None = None
    in_stock: bool | None = None
    ids: tuple[ObjectId, ...] = ()

    def where(self) -> dict[str, Any]:
        """The whole filter."""
        return _all_of(part for _, part in self._parts())

    def narrowing(self, *, without: str) -> dict[str, Any]:
        """The parts that facets stand for; the counts of a facet leave out its own."""
        others = FACETED - {without}
        return _all_of(part for name, part in self._parts() if name in others)

    def _parts(self) -> list[tuple[str, dict[str, Any]]]:
        parts: list[tuple[str, dict[str, Any]]] = [("status", {"status": _one_of(self.statuses)})]
        if self.q:
            # The one that comes first is looked up in the index: a long word is a rare one.
            sought = sorted(dict.fromkeys(words(self.q)), key=len, reverse=True)
            parts += [("q", {"keys": word}) for word in sought or [""]]
        if self.categories:
            parts.append(("category", {"category_path": _one_of(self.categories)}))
        if self.brands:
            parts.append(("brand", {"keys": _one_of([brand_key(b) for b in self.brands])}))
        if self.tags:
            parts.append(("tag", {"keys": _one_of([tag_key(tag) for tag in self.tags])}))
        if self.in_stock is not None:
            parts.append(("stock", {"in_stock": self.in_stock}))
        bounds = {"$gte": self.min_price, "$lte": self.max_price}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        if given:
            parts.append(("price", {"price_minor": given}))
        if self.ids:
            parts.append(("ids", {"_id": {"$in": list(self.ids)}}))
        return parts

    def tiers(self, ordering: str) -> list[dict[str, Any]]:
        """By relevance: the product with this sku, then names that begin like this, then the rest.

        In every other order there is one tier.
        """
        where = self.where()
        if ordering != RELEVANCE or not words(self.q):
            return [where]
        sku = sku_key(self.q.strip())
        begins, others = self.by_beginning()
        return [
            # The words of the search are in the sku: nothing else need be looked up.
            {"$and": [{"keys": sku}, replace(self, q="").where()]},
            {"$and": [begins, {"keys": {"$ne": sku}}]},
            {"$and": [others, {"keys": {"$ne": sku}}]},
        ]

    def by_beginning(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Those whose names begin like the search, and the rest of what it finds."""
        where, start = self.where(), name_key(self.q)
        begins = {"name_key": {"$gte": start, "$lt": start + _LAST}}
        others = {"$or": [{"name_key": {"$lt": start}}, {"name_key": {"$gte": start + _LAST}}]}
        return {"$and": [where, begins]}, {"$and": [where, others]}


def _all_of(conditions: Iterable[dict[str, Any]]) -> dict[str, Any]:
    every = list(conditions)
    return {"$and": every} if len(every) > 1 else every[0] if every else {}


def _one_of(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else {"$in": list(values)}


def product_page(
    chosen: ProductFilter,
    *,
    ordering: str,
    request: PageRequest,
    projection: Mapping[str, int] | None = None,
) -> Page:
    """A page of products, their times without zones. One read; by relevance at most three."""
    return fetch_page(
        collection_without_zones(Product),
        tiers=chosen.tiers(ordering),
        ordering=ORDERINGS[ordering],
        request=request,
        projection=projection or INTERNAL,
    )


def suggestions(q: str, *, limit: int) -> list[str]:
    """Names of active products in which every one of these words begins a word: first the names
    that begin like this, then the others, both by name.

    One read; a second one for the others, if too few names begin like this. Each looks at
    _SUGGESTIONS_READ products.
    """
    sought = words(q)
    found: dict[str, None] = {}
    for where in ProductFilter(q=q).by_beginning() if sought else ():
        found.update((name, None) for name in _names(where) if _completes(name, sought))
        if len(found) >= limit:
            break
    return list(found)[:limit]


def _names(where: Mapping[str, Any]) -> list[str]:
    rows = collection(Product).find(where, {"name": 1}).sort(list(BY_NAME))
    return [row["name"] for row in rows.limit(_SUGGESTIONS_READ)]


def _completes(name: str, sought: Sequence[str]) -> bool:
    """Whether the words are in the name itself, and not in a brand, a tag or a sku."""
    own = words(name)
    return all(any(word.startswith(start) for word in own) for start in sought)
