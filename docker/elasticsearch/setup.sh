#!/bin/sh
# Tells Elasticsearch how long logs are kept and what their fields are, and Kibana what to show. Safe to repeat.
# Needs curl and these files beside it; SAVED_OBJECTS is docker/kibana/saved-objects.ndjson, empty for none.
set -eu
cd "$(dirname "$0")"
elasticsearch=${ELASTICSEARCH_URL:-http://elasticsearch:9200}
kibana=${KIBANA_URL:-http://kibana:5601}
objects=${SAVED_OBJECTS:-}

send() {  # the password comes by stdin, so that no process list shows it
  printf 'user = "%s:%s"\n' "${ELASTICSEARCH_USER:-elastic}" "${ELASTICSEARCH_PASSWORD:-}" |
    curl --config - --silent --show-error --fail-with-body --retry 60 --retry-delay 2 --retry-all-errors "$@"
  echo
}

send -X PUT "$elasticsearch/_ilm/policy/shop-logs" \
  -H 'Content-Type: application/json' --data-binary @lifecycle-policy.json
send -X PUT "$elasticsearch/_index_template/shop-logs" \
  -H 'Content-Type: application/json' --data-binary @index-template.json
if [ -n "$objects" ]; then
  send -X POST "$kibana/api/saved_objects/_import?overwrite=true" -H 'kbn-xsrf: true' --form "file=@$objects"
fi
