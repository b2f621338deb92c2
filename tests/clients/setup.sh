#!/bin/sh
# Installs the Kafka clients that the tests of `playground serve` run: kcat (apt) and confluent-kafka (PyPI).
# Nothing happens for what is there already. PLAYGROUND_NO_CLIENTS=1 leaves out both, and the tests that need them.
set -eu

[ "${PLAYGROUND_NO_CLIENTS:-}" = 1 ] && exit 0

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

if ! command -v kcat >/dev/null; then
    echo "installing kcat"
    as_root apt-get install -y kcat || { as_root apt-get update && as_root apt-get install -y kcat; }
fi

if ! python3 -c 'import confluent_kafka' 2>/dev/null; then
    echo "installing confluent-kafka"
    # The second form is for systems that keep pip out of their own Python (PEP 668).
    python3 -m pip install --user confluent-kafka ||
        python3 -m pip install --user --break-system-packages confluent-kafka
fi
