"""What production settings ask for, in the environment."""

import secrets
from typing import Final

HOST: Final = "api.shop.example"


def production(*, mongodb: str, redis: str, **more: str) -> dict[str, str]:
    """The variables of a server of production, with a key of its own."""
    return {
        "DJANGO_SETTINGS_MODULE": "ecommerce.settings.production",
        "MONGODB_URI": mongodb,
        "REDIS_URL": redis,
        "ALLOWED_HOSTS": HOST,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "EMAIL_URL": "smtp://127.0.0.1:9",  # nothing listens: no test of these sends mail
        "PUBLIC_URL": "https://shop.example",
        **more,
    }
