"""Every field that a line may have, with its type in the Elastic Common Schema (ECS 8.11).

Source: https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html. A field that does not
stand here is not written; the index template (docker/elasticsearch) maps these and no others.
"""

from collections.abc import Mapping
from typing import Final

FIELDS: Final[Mapping[str, str]] = {
    "@timestamp": "date",
    "message": "match_only_text",
    "ecs.version": "keyword",
    "service.name": "keyword",
    "log.level": "keyword",
    "log.logger": "keyword",
    "log.origin.file.name": "keyword",
    "log.origin.file.line": "long",
    "log.origin.function": "keyword",
    "process.pid": "long",
    "process.name": "keyword",
    "process.thread.id": "long",
    "process.thread.name": "keyword",
    "error.type": "keyword",
    "error.message": "match_only_text",
    "error.stack_trace": "wildcard",
    "event.dataset": "keyword",
    "event.kind": "keyword",
    "event.category": "keyword",
    "event.type": "keyword",
    "event.action": "keyword",
    "event.outcome": "keyword",
    "event.duration": "long",  # nanoseconds
    "http.request.id": "keyword",
    "http.request.method": "keyword",
    "http.response.status_code": "long",
    "http.response.body.bytes": "long",
    "http.version": "keyword",
    "url.path": "wildcard",
    "url.query": "keyword",
    "client.ip": "ip",
    "user_agent.original": "keyword",
    # `labels` are keywords of our own, where ECS has no field.
    "labels.mongodb_collection": "keyword",
    "labels.mongodb_shape": "keyword",
}

SERVICE: Final = "shop-api"
APPLICATION: Final = "shop.application"
ACCESS: Final = "shop.access"
SLOW_OPERATIONS: Final = "shop.slow_operations"
"""What `event.dataset` says: which of the logs a line belongs to."""
