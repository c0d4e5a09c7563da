#!/bin/bash
# A host that nobody has seen before is down, and 200 curl processes in a row ask for it: five attempts learn that, then the
# circuit answers, at once; the server is spared but for a probe each open time. When it comes back, so do the calls.
# alone
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
calls=200
open_ms=1000
export GUSSET_POLICY=standard
GUSSET_SET=$(printf '%s\n' retry.backoff.base=5ms breaker.open=${open_ms}ms breaker.open_cap=${open_ms}ms)
export GUSSET_SET
gusset run -- true # compiles the rules

now_us() { echo "${EPOCHREALTIME/./}"; }
median() { sort -n | awk '{a[NR] = $1} END {print a[int((NR + 1) / 2)]}'; }

# storm: sets codes (a line a process), and the files wrapped, bare (microseconds of each refused process)
storm() {
    local started before
    : >"$folder/wrapped"
    : >"$folder/bare"
    codes=
    started=$(now_us)
    for ((i = 0; i < calls; i++)); do
        before=${EPOCHREALTIME/./}
        LD_PRELOAD=$BUILD/libgusset.so curl -sf "$url/storm" >/dev/null
        code=$?
        codes+="$code "
        [ "$i" -lt 5 ] || [ "$code" != 7 ] || echo $((${EPOCHREALTIME/./} - before)) >>"$folder/wrapped"
        [ $((i % 2)) = 0 ] || continue
        before=${EPOCHREALTIME/./}
        curl -sf http://127.0.0.1:1/ >/dev/null
        echo $((${EPOCHREALTIME/./} - before)) >>"$folder/bare"
    done
    took_ms=$((($(now_us) - started) / 1000))
}

judge() {
    local over=$(($(median <"$folder/wrapped") - $(median <"$folder/bare")))
    at_most "$1: a refused call costs under 5 ms over a bare one's start, microseconds" "$over" 5000
    at_most "$1: the first five attempts are made, then one probe each open time" "$2" $((5 + took_ms / open_ms + 1))
    at_least "$1: the circuit opened after five" "$2" 5
    is "$1: every call failed" "$(wc -w <<<"${codes//0 /}")" "$calls"
}

# comes_back NAME: how long until a call succeeds
comes_back() {
    local started
    started=$(now_us)
    until LD_PRELOAD=$BUILD/libgusset.so curl -sf "$url/" >/dev/null; do
        [ $(($(now_us) - started)) -lt 10000000 ] || break
        sleep 0.02
    done
    at_most "$1: calls succeed within the open time after the server is back, milliseconds" \
        $((($(now_us) - started) / 1000)) $((open_ms + 500))
    is "$1: and go on so" "$(for _ in 1 2 3; do LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/"; done)" $'ok\nok\nok'
}

ask 'outage?for=0' >/dev/null
storm
judge "answers 503" "$(ask 'count?key=/storm')"
ask up >/dev/null
comes_back "answers 503"

forget
ask 'down' >/dev/null
storm
judge "refuses connections" "$(counted attempts)"
ask up >/dev/null
comes_back "refuses connections"

# ---- half open: one of many ----
forget
ask 'outage' >/dev/null
for _ in 1 2 3; do LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/" >/dev/null; done
ask up >/dev/null
ask zero >/dev/null
sleep "$((open_ms / 1000)).1"
pids=()
for _ in $(seq 20); do
    LD_PRELOAD=$BUILD/libgusset.so timeout 10 curl -s -o /dev/null "$url/probe?delay=1500" &
    pids+=($!)
done
good=0
for pid in "${pids[@]}"; do wait "$pid" && good=$((good + 1)); done
is "when half open, one of 20 processes probes and the others are refused" "$good $(ask 'count?key=/probe')" "1 1"
is "and then the circuit is closed" "$(LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/")" ok

# ---- a probe that does not come back ----
forget
GUSSET_SET=$(printf '%s\n' retry.attempts=1 breaker.consecutive=2 breaker.open=200ms breaker.open_cap=200ms timeout.connect=300ms timeout.attempt=700ms)
call() { LD_PRELOAD=$BUILD/libgusset.so timeout 10 curl -s "$@"; }
half_open() {
    forget
    for _ in 1 2; do call -o /dev/null "$url/?status=503"; done
    sleep 0.25
}
half_open
LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/?stall=headers" &
prober=$!
until [ "$(ask 'count?key=/')" = 3 ]; do sleep 0.01; done
disown "$prober"
kill -9 "$prober"
killed=${EPOCHREALTIME/./}
is "the circuit is half open while the probe is out" "$(gusset status --json | grep -o '"circuit":"[a-z ]*"')" '"circuit":"half open"'
call -o /dev/null "$url/"
is "a killed prober holds its place" "$?" 7
until call -o /dev/null "$url/"; do
    [ $((${EPOCHREALTIME/./} - killed)) -lt 5000000 ] || break
    sleep 0.02
done
at_most "until its lease runs out; then another probes, milliseconds" $(((${EPOCHREALTIME/./} - killed) / 1000)) 1700
is "and the circuit is closed" "$(call "$url/")" ok
half_open
call -m 0.1 -o /dev/null "$url/?delay=3000"
is "a probe that ends by its program's own limit gives its place back at once" "$? $(call "$url/")" "28 ok"
half_open
call --cacert /nonexistent "https://127.0.0.1:$port/"
is "so does one that could not begin" "$? $(call "$url/")" "77 ok"
half_open
call -o /dev/null "$url/?status=503"
call -o /dev/null "$url/"
is "a probe that fails opens the circuit again" "$? $(counted opened)" "7 2"

done_testing
