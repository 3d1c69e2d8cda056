"""Problems that may say what those of the catalog say beside the members of all."""

from functools import partial

from catalog.serializers import CatalogProblemShape
from ecommerce.core import openapi

problems = partial(openapi.problems, shape=CatalogProblemShape)
