"""What django-redis stores for the answers: the bytes as they are. Never pickle."""

from typing import Any

from django_redis.serializers.base import BaseSerializer


class BytesSerializer(BaseSerializer):
    """Nothing to do: every value is bytes already."""

    def dumps(self, value: Any) -> bytes:
        """As it is."""
        return bytes(value)

    def loads(self, value: bytes) -> bytes:
        """As it is."""
        return value
