"""Media types that Schemathesis does not know: it sends them as it would send plain text."""

import schemathesis

schemathesis.serializer.alias(
    ["text/csv", "application/x-ndjson", "application/jsonl"], "text/plain"
)
