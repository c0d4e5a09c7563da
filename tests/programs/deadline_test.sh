#!/bin/bash
# Time limits: to connect, to the first byte, in all, for a body; and what a server may ask for by Retry-After. What is slow
# but alive lives; the program's own limit holds where it is the shorter.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/callbacks

# within NAME FROM TO COMMAND...: sets code, took (milliseconds), said (its output). What takes longer by itself does so
# each time, and a busy machine makes some long: three tries, each from the beginning (limited forgets).
within() {
    local name=$1 from=$2 to=$3 started
    shift 3
    for _ in 1 2 3; do
        started=${EPOCHREALTIME/./}
        said=$("$@" 2>/dev/null)
        code=$?
        took=$(((${EPOCHREALTIME/./} - started) / 1000))
        [ "$took" -gt "$to" ] || break
    done
    if [ "$took" -ge "$from" ] && [ "$took" -le "$to" ]; then
        pass "$name ($took ms)"
    else
        fail "$name" "took $took ms, wanted $from to $to" "exit $code, said: ${said:0:200}"
    fi
}
limited() {
    forget
    timeout 8 gusset run --policy standard --set retry.backoff.base=5ms --set retry.budget.ratio=100 "$@"
}

# ---- an attempt ----
within "attempt = 1s ends a silent attempt after a second, the next succeeds" 700 1400 \
    limited --set timeout.attempt=1s --set timeout.connect=200ms -- curl -s "$url/?stall=headers&first=1"
is "the reply is there" "$code $said" "0 ok"
within "so it is with a delay that is too long" 700 1400 \
    limited --set timeout.attempt=1s -- curl -s "$url/?delay=3000&first=1"
is "and the reply is the second's" "$code $said" "0 ok"
within "each attempt has its own" 1100 2200 \
    limited --set timeout.attempt=400ms -- curl -s "$url/?stall=headers"
is "then the call has timed out" "$code $(ask 'count?key=/')" "28 3"
is "which is counted, because the server caused it" "$(counted failures)" 3
within "an attempt that begins to answer in time may take long" 1200 4000 \
    limited --set timeout.attempt=400ms --set timeout.connect=100ms -- curl -s -o "$folder/slow" "$url/?body=30000&slow=20000"
is "and its body is whole" "$code $(wc -c <"$folder/slow")" "0 30000"
is "and was asked for once" "$(ask 'count?key=/')" 1
within "a POST that was sent is ended too, and not repeated" 300 900 \
    limited --set timeout.attempt=400ms -- curl -s -d a=b "$url/?stall=headers"
is "it has timed out" "$code $(ask 'count?key=/')" "28 1"

# ---- connecting: a port whose queue of connections is full drops what comes ----
start_full
within "connect = 300ms ends an attempt to connect" 500 1200 \
    limited --set timeout.connect=300ms --set retry.attempts=2 -- curl -s "$full"
is "as a time-out that counts" "$code $(counted failures)" "28 2"
within "a program's shorter --connect-timeout wins" 150 700 limited --set retry.attempts=1 -- curl -s --connect-timeout 0.2 "$full"
is "and is its own affair" "$code $(counted failures)" "28 0"
within "a POST that could not connect in time is tried again" 500 1200 \
    limited --set timeout.connect=300ms --set retry.attempts=2 -- curl -s -d a=b "$full"
is "twice" "$(counted attempts)" 2

# ---- all together ----
within "total bounds all attempts and waits" 1100 1900 \
    limited --set timeout.attempt=500ms --set timeout.total=1500ms --set retry.attempts=20 -- curl -s "$url/?stall=headers"
is "with a time-out as the result" "$code" 28
within "also where an attempt alone would take longer" 700 1300 \
    limited --set timeout.total=1s -- curl -s "$url/?stall=headers"
within "also in a wait between two" 0 900 \
    limited --set timeout.total=1s --set retry.backoff.base=5s --set retry.backoff.jitter=none -- curl -s "$url/?status=503"
is "then the reply that there was is given" "$code $said" "0 error 503"
within "total does not end a body that flows" 1500 4000 \
    limited --set timeout.total=600ms -- curl -s -o "$folder/slow" "$url/?body=40000&slow=20000"
is "it arrives whole" "$code $(wc -c <"$folder/slow")" "0 40000"

# ---- bodies ----
within "transfer ends it" 700 1400 limited --set timeout.transfer=1s -- curl -s -o /dev/null "$url/?body=90000&slow=20000"
is "as a time-out" "$code" 28
alone="--set timeout.transfer=1s --set timeout.total=0s --set timeout.attempt=0s"
for way in curl "curl -Z"; do
    # shellcheck disable=SC2086 # words are meant
    within "$way: transfer ends a call whose reply does not begin" 700 1900 limited $alone -- $way -s -o /dev/null "$url/?stall=headers"
    is "$way: as a time-out, and it is not tried again" "$code $(counted attempts)" "28 1"
    # shellcheck disable=SC2086
    within "$way: transfer ends a body, whatever else had a limit before it" 1000 2900 \
        limited --set timeout.transfer=1500ms --set timeout.attempt=1s -- $way -s -o /dev/null "$url/?delay=700&body=90000&slow=20000"
    is "$way: as a time-out, too" "$code" 28
done
within "idle = 1s ends a body that has stalled" 900 3500 limited --set timeout.idle=1s -- curl -s -o /dev/null "$url/?body=90000&stall=body"
is "as a time-out, too" "$code" 28
within "idle = 0s leaves a quiet body alone" 1300 2500 limited --set timeout.attempt=300ms --set timeout.total=600ms -- \
    curl -s -o /dev/null "$url/?body=90000&stall=body&for=1500"
is "until the server ends it" "$code" 18
head -c 200000 /dev/zero | tr '\0' x >"$folder/up"
within "a long upload lives" 1500 4000 limited --set timeout.attempt=400ms --set timeout.connect=200ms -- \
    curl -s --limit-rate 100K -T "$folder/up" "$url/?key=up"
is "and arrives once" "$code $said $(ask 'count?key=up')" "0 ok 1"
within "one from a pipe as well" 1500 4000 limited --set timeout.attempt=400ms --set timeout.connect=200ms -- \
    bash -c "(head -c 1000 '$folder/up'; sleep 1; head -c 1000 '$folder/up'; sleep 0.6) | curl -s -T - '$url/?key=up'"
is "and arrives" "$code $said" "0 ok"
within "a long POST from memory lives" 1500 4000 limited --set timeout.attempt=400ms --set timeout.connect=200ms -- \
    curl -s --limit-rate 100K --data-binary "@$folder/up" "$url/?key=up"
is "and arrives once, too" "$code $said $(ask 'count?key=up')" "0 ok 1"
within "but not the silence after it" 1500 5500 limited --set timeout.attempt=500ms --set retry.attempts=1 -- \
    curl -s --limit-rate 100K -T "$folder/up" "$url/?key=up&stall=headers"
is "which is a time-out" "$code" 28

# ---- the program's own ----
within "a program's shorter --max-time wins" 350 900 limited --set timeout.attempt=5s -- curl -s -m 0.5 "$url/?stall=headers"
is "its call has timed out" "$code $(ask 'count?key=/')" "28 1"
within "it bounds all attempts together" 800 1500 limited --set timeout.attempt=300ms --set retry.attempts=20 -- \
    curl -s -m 1 "$url/?stall=headers"
is "so that several were made" "$code $(($(ask 'count?key=/') > 2))" "28 1"
within "it bounds the waits" 0 900 limited --set retry.backoff.base=5s --set retry.backoff.jitter=none -- curl -s -m 1 "$url/?status=503"
is "and the reply is given while there is time" "$code $said" "0 error 503"
within "a program's callback that says stop ends a wait" 0 1500 limited --set retry.backoff.base=5s --set retry.backoff.jitter=none -- \
    "$client" "$url/?status=503" abort=8
is "with the program's own word as the result" "$(grep -o '^result [0-9]*' <<<"$said")" "result 42"
within "it bounds a body" 800 1500 limited -- curl -s -m 1 -o /dev/null "$url/?body=90000&slow=20000"
is "that body is cut" "$code" 28
within "a policy's shorter limit wins over a longer one" 250 900 limited --set timeout.attempt=400ms --set retry.attempts=1 -- \
    "$client" "$url/?stall=headers" timeout=10000
is "as the program is told" "${said:0:9}" "result 28"
within "a longer attempt does not hold up a shorter program on the same handle" 80 900 limited --set timeout.attempt=100ms --set retry.attempts=2 -- \
    "$client" "$url/?stall=headers&first=1" repeat=3 timeout=10000
is "whose calls all succeed" "$(grep -c 'result 0 status 200' <<<"$said")" 3

# ---- Retry-After ----
within "Retry-After in seconds is honoured" 950 1900 limited -- curl -s "$url/?status=503&first=1&retry_after=1"
is "then the call succeeds" "$code $said" "0 ok"
date=$(LC_ALL=C date -u -d '+2 seconds' '+%a,+%d+%b+%Y+%H:%M:%S+GMT')
within "so is a date" 800 2700 limited -- curl -s "$url/?status=429&first=1&retry_after=$date"
is "then that call succeeds" "$code $said" "0 ok"
within "past the cap it is not waited for" 0 600 limited --set retry.retry_after=1s -- curl -s "$url/?status=503&first=1&retry_after=3"
is "and the reply is given as it is" "$code $said" "0 error 503"
within "retry_after = 0s ignores it" 0 600 limited --set retry.retry_after=0s -- curl -s "$url/?status=503&first=1&retry_after=3"
is "so the call is tried again at once" "$code $said" "0 ok"
within "where it does not fit into total, it is not waited for" 0 600 limited --set timeout.total=1s -- curl -s "$url/?status=503&first=1&retry_after=3"
is "and that reply is given" "$code $said" "0 error 503"
within "nonsense is no Retry-After" 0 600 limited -- curl -s "$url/?status=503&first=1&retry_after=soon"
is "the call succeeds as if there were none" "$code $said" "0 ok"

done_testing
