#!/bin/bash
# Keys of the configuration that no other suite shows at work: what they do to a real program.
. "$(dirname "$0")/lib.sh"
start_upstream
second=$port
start_upstream
url=http://127.0.0.1:$port
export GUSSET_CONFIG=$folder/gusset.cfg

# ---- context ----
config "$GUSSET_CONFIG" <<'CFG'
context: { request_id = "order-${ORDER:-none}"; tenant_id = "acme"; project_id = "${GUSSET_PROJECT_ID:-road}"; };
hosts = ( { match = "127.0.0.1"; propagate = ["request_id", "tenant_id", "project_id"]; } );
CFG
ORDER=7 gusset run -- curl -s -o /dev/null "$url/?key=context"
header() { ask "heads?key=context" | tr -d '\r' | sed -n "s/^$1: //p"; }
is "the file says which request id, tenant and project calls carry" "$(header X-Request-Id) $(header X-Tenant-Id) $(header X-Project-Id)" "order-7 acme road"
ask zero >/dev/null
gusset run --project rail -- curl -s -o /dev/null "$url/?key=context"
is "and where the environment has a word" "$(header X-Request-Id) $(header X-Project-Id)" "order-none rail"

# ---- retry.retries ----
gusset run --policy quick --set retry.retries=4 --set retry.backoff.base=1ms -- curl -s -o /dev/null "$url/?key=retries&status=503"
is "retries count those after the first" "$(ask 'count?key=retries')" 5

# ---- state.hosts ----
config "$GUSSET_CONFIG" <<CFG
state: { path = "$folder/small"; hosts = 64; };
hosts = ( { match = "*"; policy = "quick"; } );
CFG
unset GUSSET_STATE
gusset run -- curl -s "$url/" >/dev/null
config "$GUSSET_CONFIG" <<CFG
state: { path = "$folder/large"; hosts = 1024; };
hosts = ( { match = "*"; policy = "quick"; } );
CFG
gusset run -- curl -s "$url/" >/dev/null
at_least "a state for more hosts is larger, by their room" $(($(stat -c %s "$folder/large") - $(stat -c %s "$folder/small"))) $((900 * 1024))
export GUSSET_STATE=$folder/state

# ---- pool.connections, pool.keepalive ----
# made SETTINGS WORD...: new connections of each request
made() {
    config "$GUSSET_CONFIG" <<<"hosts = ( { match = \"127.0.0.1\"; retry: { }; pool: { share = true; $1 }; } );"
    shift
    gusset run -- "$BUILD/clients/pool" "$@" | awk 'NF > 1 {printf "%s%s", sep, $2; sep = " "}'
}
a=(get "$url/") b=(get "http://127.0.0.1:$second/")
is "a pool keeps connections to two hosts" "$(made 'connections = 100; keepalive = 20;' "${a[@]}" "${b[@]}" "${a[@]}" "${b[@]}")" "1 1 0 0"
at_least "keepalive = 1: to one of them alone" "$(made 'connections = 100; keepalive = 1;' "${a[@]}" "${b[@]}" "${a[@]}" "${b[@]}" | tr -cd 1 | wc -c)" 3
mine=(userpwd=me:x "${a[@]}") yours=(userpwd=you:x "${a[@]}")
is "and for each set of credentials" "$(made 'connections = 2; keepalive = 1;' "${mine[@]}" "${yours[@]}" "${mine[@]}" "${yours[@]}")" "1 1 0 0"
is "connections = 1: in all" "$(made 'connections = 1; keepalive = 1;' "${mine[@]}" "${yours[@]}" "${mine[@]}" "${yours[@]}")" "1 1 1 1"
done_testing
