#!/bin/sh
# Says which address is probed as clients see it, then becomes Prometheus: its settings know no variables.
# SITE_URL is that address; empty, and nothing is probed.
set -eu
if [ -n "${SITE_URL:-}" ]; then
  printf '[{"targets": ["%s"]}]\n' "$SITE_URL" > /tmp/site.json
else
  echo '[]' > /tmp/site.json
fi
exec prometheus --config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus "$@"
