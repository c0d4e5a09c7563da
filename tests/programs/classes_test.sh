#!/bin/bash
# What is tried again and what opens a circuit is the rule's to say: error types, CURLE_ names, statuses and classes move
# between retry.on, retry.never and breaker.on.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
base=(--policy quick --set retry.attempts=3 --set retry.backoff.base=1ms --set retry.budget.floor=1000
    --set breaker.consecutive=0 --set breaker.rate.percent=0)

# A fault of the server's, what the rule says, and how often the call is made then.
wrong=0 count=0
while read -r wanted fault settings; do
    sets=()
    for set in $settings; do sets+=(--set "$set"); done
    for multi in "" "-Z"; do
        count=$((count + 1))
        key=c$count
        # shellcheck disable=SC2086 # an argument or none
        gusset run "${base[@]}" ${sets[@]+"${sets[@]}"} -- curl -s $multi --max-time 5 -o /dev/null "$url/?$fault&key=$key" 2>/dev/null
        got=$(ask "count?key=$key")
        [ "$got" = "$wanted" ] && continue
        wrong=$((wrong + 1))
        echo "# $fault with $settings $multi: made $got times instead of $wanted"
    done
done <<'CASES'
3 status=503
1 status=404
3 status=404 retry.on=404
1 status=503 retry.on=404
3 status=404 retry.on=not_found
3 status=410 retry.on=not_found
3 status=418 retry.on=4xx
1 status=500
3 status=500 retry.on=5xx
1 status=503 retry.on=5xx retry.never=503
3 status=500 retry.on=5xx retry.never=503
1 status=503 retry.never=server_error
3 status=507 retry.on=server_error
3 status=429
1 status=429 retry.never=rate_limit
3 status=401 retry.on=authentication
3 status=403 retry.on=permission_denied
3 status=422 retry.on=bad_request
3 reset=headers
1 reset=headers retry.on=503
1 reset=headers retry.never=reset
3 reset=headers retry.on=CURLE_RECV_ERROR
1 close=headers retry.on=CURLE_RECV_ERROR
3 close=headers retry.on=CURLE_GOT_NOTHING
1 close=headers retry.never=CURLE_GOT_NOTHING
3 stall=headers timeout.attempt=300ms
1 stall=headers timeout.attempt=300ms retry.never=timeout
1 stall=headers timeout.attempt=300ms retry.on=503,reset
CASES
is "of $count failing calls each is made as often as its rule says" "$wrong" 0

# ---- what opens: two calls of a fault, then one that would be fine ----
base=(--policy quick --set retry.attempts=1 --set breaker.consecutive=2)
wrong=0 count=0
while read -r wanted fault settings; do
    rm -f "$GUSSET_STATE"
    count=$((count + 1))
    sets=()
    for set in $settings; do sets+=(--set "$set"); done
    gusset run "${base[@]}" ${sets[@]+"${sets[@]}"} -- curl -s --max-time 5 -o /dev/null "$url/?$fault" -o /dev/null "$url/?$fault"
    got=closed
    gusset run "${base[@]}" ${sets[@]+"${sets[@]}"} -- curl -s -o /dev/null "$url/" || got=open
    [ "$got" = "$wanted" ] && continue
    wrong=$((wrong + 1))
    echo "# $fault with $settings: $got instead of $wanted"
done <<'CASES'
open status=503
closed status=500
open status=500 breaker.on=5xx
open status=500 breaker.on=500
closed status=503 breaker.on=500
open status=404 breaker.on=404
open status=404 breaker.on=not_found
closed status=503 breaker.on=connect
open reset=headers
closed reset=headers breaker.on=503
open close=headers breaker.on=CURLE_GOT_NOTHING
closed reset=headers breaker.on=CURLE_GOT_NOTHING
open stall=headers timeout.attempt=300ms
closed stall=headers timeout.attempt=300ms breaker.on=reset,503
CASES
is "of $count circuits each opens by what its rule says" "$wrong" 0

# ---- connect(2) ----
closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# knocks SETTING...: how many tries a connect that is refused takes
knocks() {
    local sets=() set
    rm -f "$GUSSET_STATE"
    for set in "$@"; do sets+=(--set "$set"); done
    # shellcheck disable=SC2016 # the inner shell's
    gusset run --policy quick --set retry.attempts=4 --set retry.backoff.base=1ms "${sets[@]}" -- bash -c ': 3<>"/dev/tcp/127.0.0.1/$0"' "$closed" 2>/dev/null
    counted attempts
}
is "a refused connect is tried again" "$(knocks retry.on=connect)" 4
is "unless the rule does not name it" "$(knocks retry.on=timeout)" 1
is "or says never" "$(knocks retry.never=connect)" 1
done_testing
