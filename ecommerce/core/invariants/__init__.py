"""What must hold of everything that is stored, and looking whether it does.

Each app declares the rules of its documents in its `invariants.py` and registers them in its
AppConfig; the core knows no app. `manage.py verify_invariants` asks them.
"""

from ecommerce.core.invariants.registry import Checked, chosen, register, registered
from ecommerce.core.invariants.rules import Case, Delete, Reference, Row, Rule, Run, Update
from ecommerce.core.invariants.verification import Tally, Verification

__all__ = [
    "Case",
    "Checked",
    "Delete",
    "Reference",
    "Row",
    "Rule",
    "Run",
    "Tally",
    "Update",
    "Verification",
    "chosen",
    "register",
    "registered",
]
