"""The hash of passwords in tests."""

from accounts.hashers import ShopArgon2PasswordHasher


class QuickArgon2PasswordHasher(ShopArgon2PasswordHasher):
    """The product's, as cheap as argon2 can be: hashing took two thirds of the tests of accounts.

    Tests about what a hash costs have the product's own: the fixture `real_hashing`.
    """

    time_cost = 1
    memory_cost = 8  # KiB
