"""What must hold of the catalog, beyond what its documents declare."""

from typing import Final

from catalog.invariants import categories, imports, products

CHECKED: Final = (*products.CHECKED, *categories.CHECKED, *imports.CHECKED)
