#!/bin/bash
# The built-in policies are what interface.md says, number by number; and conf/examples/environment.cfg, which takes the
# settings from the names that services have in their environment.
. "$(dirname "$0")/lib.sh"
example=$(cd "$(dirname "$0")/../.." && pwd)/conf/examples/environment.cfg

# ---- presets ----
standard='timeout.connect=5s timeout.attempt=30s timeout.total=90s timeout.idle=0s timeout.transfer=0s
retry.attempts=3 retry.backoff.base=500ms retry.backoff.factor=2.0 retry.backoff.cap=5s retry.backoff.jitter=full
retry.backoff.amount=10 retry.on=connect,timeout,reset,429,502,503,504 retry.never=
retry.methods=GET,HEAD,PUT,DELETE,OPTIONS,TRACE retry.retry_after=60s retry.budget.ratio=20 retry.budget.floor=10
retry.idempotency_key=false retry.wait=0s breaker.consecutive=5 breaker.rate.percent=90 breaker.rate.minimum=20
breaker.rate.window=30s breaker.on=connect,timeout,reset,502,503,504 breaker.open=5s breaker.open_cap=300s
breaker.probes=1 breaker.errno=ECONNREFUSED breaker.scope=policy'
cat >"$folder/compare.py" <<'P'
import json, sys
found = {s["key"]: s["value"].replace(", ", ",") for s in json.load(sys.stdin)["settings"]}
wanted = {}
for word in sys.argv[1:]:
    key, value = word.split("=", 1)
    wanted[key] = value
for key, value in wanted.items():
    if found.get(key) != value:
        print(key, "is", found.get(key), "instead of", value)
for key, value in found.items():
    if key.split(".")[0] not in ("timeout", "retry", "breaker") and value:
        print(key, "is", value, "but a preset has timeout, retry and breaker alone")
P
while read -r name differences; do
    # shellcheck disable=SC2086 # settings are words
    is "$name is as it is written" "$(gusset explain --policy "$name" --json | python3 "$folder/compare.py" $standard $differences)" ""
done <<'PRESETS'
standard
quick        retry.attempts=2 retry.backoff.base=100ms retry.backoff.cap=1s
expensive    retry.attempts=5 retry.backoff.base=1s retry.backoff.cap=10s timeout.attempt=60s timeout.total=180s
conservative retry.attempts=3 retry.backoff.base=2s retry.backoff.cap=30s
aggressive   retry.attempts=5 retry.backoff.base=500ms retry.backoff.cap=5s
network      timeout.connect=5s timeout.attempt=10s timeout.total=10s
database     retry.attempts=2 retry.backoff.base=100ms retry.backoff.cap=1s timeout.connect=10s breaker.consecutive=3 breaker.open=30s
external     breaker.consecutive=5 breaker.open=60s
PRESETS
says "explain names every group that a policy does not apply" "$(gusset explain --policy standard)" \
    '^not applied: hedge, limit, bulkhead, .*pool, fallback, stale, fault$'

# ---- the environment's names ----
start_upstream
url=http://127.0.0.1:$port
cat "$example" | config "$folder/environment.cfg"
exits "the example is fine" 0 gusset check "$folder/environment.cfg"
# told HOST VARIABLE=VALUE...: what the settings come to
told() {
    local host=$1
    shift
    env "$@" gusset explain --config "$folder/environment.cfg" "http://$host/" --json |
        python3 -c 'import json, sys; v = {s["key"]: s["value"] for s in json.load(sys.stdin)["settings"]}
print(*(v[k] for k in "timeout.attempt retry.attempts retry.backoff.base breaker.consecutive breaker.open pool.connections pool.keepalive".split()))'
}
is "with none of them set there are defaults" "$(told a.example)" "30s 3 500ms 5 30s 100 20"
is "each has its setting" "$(told a.example HTTP_TIMEOUT_SEC=7 HTTP_RETRIES=4 HTTP_BACKOFF_BASE_MS=20 CB_FAIL_THRESHOLD=9 \
    CB_RESET_SEC=2.5 HTTP_POOL_MAX_CONNECTIONS=50 HTTP_POOL_MAX_KEEPALIVE=5 DEFAULT_TIMEOUT=1 DEFAULT_MAX_RETRIES=9)" "7s 5 20ms 9 2500ms 50 5"
is "and so have the libraries' names" "$(told api.partner.example DEFAULT_TIMEOUT=12 DEFAULT_MAX_RETRIES=0 HTTP_TIMEOUT_SEC=7)" "12s 1 500ms 5 30s 100 20"

# tries KEY QUERY VARIABLE=VALUE...: how often a real program asks
tries() {
    local key=$1 query=$2
    shift 2
    env HTTP_BACKOFF_BASE_MS=1 "$@" gusset run --config "$folder/environment.cfg" -- curl -s -o /dev/null "$url/?key=$key&$query"
    ask "count?key=$key"
}
is "HTTP_RETRIES counts in a program" "$(tries retries status=503 HTTP_RETRIES=4)" 5
rm -f "$GUSSET_STATE"
is "no retries are one try" "$(tries once status=503 HTTP_RETRIES=0)" 1
is "HTTP_TIMEOUT_SEC ends an attempt" "$(tries slow "delay=3000&first=1" HTTP_TIMEOUT_SEC=0.3 HTTP_RETRIES=1)" 2
rm -f "$GUSSET_STATE"
for _ in 1 2 3; do tries circuit status=503 HTTP_RETRIES=0 CB_FAIL_THRESHOLD=2 CB_RESET_SEC=60 >/dev/null; done
is "CB_FAIL_THRESHOLD opens the circuit" "$(ask count?key=circuit)" 2
rm -f "$GUSSET_STATE"
is "under CGI none of HTTP_ counts: a client chose it" "$(tries cgi status=503 GATEWAY_INTERFACE=CGI/1.1 HTTP_RETRIES=9 CB_FAIL_THRESHOLD=9)" 3
before=$(ask connections)
gets=()
for i in $(seq 20); do gets+=("get=$url/$i"); done
gusset run --config "$folder/environment.cfg" -- "$BUILD/clients/fresh" "${gets[@]}" >/dev/null
at_most "the pool is on: 20 handles make few connections" $(($(ask connections) - before)) 2
rm -f "$GUSSET_STATE"
is "a value that does not fit leaves the default" "$(tries unfit status=503 HTTP_RETRIES=many)" 3
done_testing
