"""The operations on carts, by their names. Each change is one guarded atomic update.

A change reads first, to say what is wrong in words, but decides nothing by it: what must hold
stands in the filter of the update. One that finds nothing, because the cart moved meanwhile, is
tried again from the start.
"""

from carts.services import adding, creating, expiring, lines, merging, saving, whole


class ShoppingCartService:
    """All writes of carts; each is described where it is defined."""

    create = staticmethod(creating.create)
    add = staticmethod(adding.add)
    set_line = staticmethod(lines.set_line)
    remove_line = staticmethod(lines.remove_line)
    save_for_later = staticmethod(saving.save_for_later)
    restore = staticmethod(saving.restore)
    merge = staticmethod(merging.merge)
    replace = staticmethod(whole.replace)
    clear = staticmethod(whole.clear)
    refresh_prices = staticmethod(whole.refresh_prices)
    delete = staticmethod(whole.delete)
    delete_expired = staticmethod(expiring.delete_expired)
    delete_all_of = staticmethod(whole.delete_all_of)
