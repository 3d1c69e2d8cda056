#!/bin/sh
# The user that Logstash writes as, and the password of Kibana's own. Safe to repeat. Needs curl.
set -eu
elasticsearch=${ELASTICSEARCH_URL:-http://elasticsearch:9200}
: "${ELASTICSEARCH_PASSWORD:?Write ELASTICSEARCH_PASSWORD into docker/.env}"
case $ELASTICSEARCH_PASSWORD in
*[!A-Za-z0-9_-]*) echo "ELASTICSEARCH_PASSWORD may hold letters, digits, _ and - only" >&2 && exit 1 ;;
esac

send() {  # passwords come by stdin, so that no process list shows them
  {
    printf 'user = "%s:%s"\n' "${ELASTICSEARCH_USER:-elastic}" "$ELASTICSEARCH_PASSWORD"
    printf 'data = "%s"\n' "$(printf '%s' "$2" | sed 's/"/\\"/g')"
  } | curl --config - --silent --show-error --fail-with-body --retry 60 --retry-delay 2 --retry-all-errors \
    --request "$3" --header 'Content-Type: application/json' "$elasticsearch$1"
  echo
}

send /_security/role/logstash_writer \
  '{"cluster":["monitor","manage_index_templates"],"indices":[{"names":["logs-shop.*"],"privileges":["auto_configure","create_doc","create_index"]}]}' PUT
send /_security/user/logstash_writer \
  "{\"roles\":[\"logstash_writer\"],\"password\":\"$ELASTICSEARCH_PASSWORD\"}" PUT
send /_security/user/kibana_system/_password "{\"password\":\"$ELASTICSEARCH_PASSWORD\"}" POST
