#!/bin/bash
# Programs that drive many calls at once, in each of the four ways: all bodies are intact where 30 % fail; a call that waits
# for its next try holds nobody up, spins no loop, wakes in time, and counts as running until it has ended.
# alone
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/many
curl -s "$url/x?body=2000" >"$folder/body"
# Bodies are looked at here, not circuits.
rescued() {
    timeout 60 gusset run --policy standard --set retry.attempts=10 --set retry.budget.ratio=100 --set retry.backoff.base=2ms \
        --set breaker.consecutive=1000 --set breaker.rate.minimum=1000 -- "$@"
}
# patient DURATION COMMAND...: one retry, after exactly that time
patient() {
    local base=$1
    shift
    timeout 60 gusset run --policy standard --set retry.attempts=2 --set retry.backoff.base="$base" --set retry.backoff.jitter=none \
        --set retry.budget.ratio=100 -- "$@"
}
value() { awk -v name="$1" '$1 == name {print $2}' "$2"; }

# ---- 30 % fail ----
seed=0
for way in poll wait fdset socket; do
    for how in status reset mixed; do
        seed=$((seed + 1))
        is "by $way, $how: 200 calls, 50 at once, 30 % fail: each body is whole" \
            "$(rescued "$client" $way 200 50 "$folder/body" "$url/@?key=$way$how&body=2000&fail=30&seed=$seed&how=$how" | head -n 1)" \
            "200 good, 0 with a wrong body, 0 failed, 0 faults"
    done
done
for way in poll socket; do
    is "by $way: 8 threads, each with a loop and 200 calls, 30 % fail: each body is whole" \
        "$(rescued "$client" $way 200 10 "$folder/body" "$url/@?key=threads$way&body=2000&chunked=1&fail=30&seed=5&how=mixed" threads=8 | head -n 1)" \
        "1600 good, 0 with a wrong body, 0 failed, 0 faults"
done
# Handles used again as they are go the short way until a reply fails; each call is counted once whichever way it goes.
for way in poll wait fdset socket; do
    forget
    is "by $way: 200 calls on 5 handles whose options stay, every tenth fails at first: whole, and counted once" \
        "$(rescued "$client" $way 200 5 "$folder/body" "$url/same?key=same$way&body=2000&fail=10&seed=3" same | head -n 1)" \
        "200 good, 0 with a wrong body, 0 failed, 0 faults"
    requests=$(ask "count?key=same$way")
    extra=$((requests - 200))
    is "by $way: what the counters say of them" \
        "$(counted calls) $(counted attempts) $(counted retries) $(counted failures) $(counted rescued) $(counted failed)" \
        "200 $requests $extra $extra $(counted rescued) 0"
    at_least "by $way: calls that were rescued" "$(counted rescued)" 10
    is "by $way: of 20 such calls some are answered by silence at first: a limit ends it" \
        "$(timeout 60 gusset run --policy standard --set timeout.attempt=300ms --set timeout.connect=200ms --set retry.backoff.base=2ms \
            --set retry.budget.ratio=100 --set breaker.consecutive=1000 -- \
            "$client" $way 20 2 "$folder/body" "$url/same?key=silent$way&body=2000&stall=headers&fail=15&seed=4" same | head -n 1)" \
        "20 good, 0 with a wrong body, 0 failed, 0 faults"
done
# ---- curl -Z ----
# whole WRAPPER QUERY: of 50 URLs that curl fetches at once, the bodies that are whole
whole() {
    local count=0
    rm -f "$folder"/part.*
    for number in $(seq 50); do
        printf 'url = "%s/%s?body=2000&%s"\noutput = "%s/part.%s"\n' "$url" "$number" "$2" "$folder" "$number"
    done >"$folder/urls"
    $1 curl -sfZ --parallel-immediate --parallel-max 50 -K "$folder/urls" 2>/dev/null
    for number in $(seq 50); do cmp -s "$folder/part.$number" "$folder/body" && count=$((count + 1)); done
    echo "$count"
}
for how in status reset mixed; do
    at_most "curl -Z with 50 URLs, bare, 30 % fail by $how: bodies are missing" "$(whole "timeout 20" "key=bareZ$how&fail=30&seed=7&how=$how")" 45
    is "curl -Z with 50 URLs under gusset, 30 % fail by $how: all are whole" "$(whole rescued "key=Z$how&fail=30&seed=7&how=$how")" 50
done

# Successes and failures of one turn of the loop count in the order in which they came, so that a built-in circuit stays closed:
# the 50 that this seed gives first never have five failures in a row.
forget
is "50 at once, 15 of them fail, no five in a row: the circuit stays closed" \
    "$(timeout 60 gusset run --policy standard --set retry.attempts=10 --set retry.budget.ratio=100 --set retry.backoff.base=200ms -- \
        "$client" poll 50 50 "$folder/body" "$url/@?key=order&body=2000&fail=30&seed=1" | head -n 1) $(counted opened)" \
    "50 good, 0 with a wrong body, 0 failed, 0 faults 0"
forget
bare=$("$client" poll 200 50 "$folder/body" "$url/@?key=bare&body=2000&fail=30&seed=5&how=mixed" | awk '/good/ {print $1}')
at_most "bare they are about 140" "$bare" 160
at_least "bare they are about 140" "$bare" 120

# ---- one waits, 1,000 are served ----
# Its neighbour bare is one that the server answers as late.
for way in poll wait fdset socket; do
    (
        for try in 1 2 3; do
            export GUSSET_STATE=$folder/state.$way
            "$client" $way 1000 10 "$folder/body" "$url/@?body=2000" "beside=$url/$way?delay=1500" >"$folder/bare.$way.$try"
            patient 1500ms "$client" $way 1000 10 "$folder/body" "$url/@?body=2000" "beside=$url/$way?key=$way$try&first=1&status=503" >"$folder/under.$way.$try"
        done
    ) &
done
wait_for_all
# least NAME FILES...: of the tries the one least disturbed
least() {
    local name=$1
    shift
    awk -v name="$name" '$1 == name {print $2}' "$@" | sort -n | head -n 1
}
for way in poll wait fdset socket; do
    is "by $way: 1,000 calls beside one that waits: each body is whole, that one succeeds, still-running is true" \
        "$(cat "$folder"/under.$way.? | grep -E 'good|beside' | sort | uniq -c | xargs)" "3 1000 good, 0 with a wrong body, 0 failed, 0 faults 3 beside 200"
    at_most "by $way: they are served in the turns that it takes bare ($(least turns "$folder"/bare.$way.?)) or few more" \
        "$(least turns "$folder"/under.$way.?)" $((2 * $(least turns "$folder"/bare.$way.?) + 20))
    at_most "by $way: and about as fast (bare $(least ms "$folder"/bare.$way.?) ms)" \
        "$(least ms "$folder"/under.$way.?)" $((2 * $(least ms "$folder"/bare.$way.?) + 1000))
    at_most "by $way: no loop spins while one waits for 1.5 s (bare $(least idle "$folder"/bare.$way.?) turns)" \
        "$(cat "$folder"/under.$way.? | value idle - | sort -n | tail -n 1)" 40
    at_least "by $way: it has waited, ms" "$(least after "$folder"/under.$way.?)" 1500
done

# ---- in time ----
# Two tries in time are enough: what is late by itself is so each time, and a busy machine makes some late.
is_in_time() { [ "$(awk '$1 <= 20' "$1" | wc -l)" -ge 2 ]; }
for way in poll wait fdset socket; do
    (
        for due in 60 150 340; do
            for try in $(seq 20); do
                patient ${due}ms "$client" $way 1 1 "$folder/body" "$url/@?body=2000&key=due$way$due$try&first=1&status=503" >"$folder/out.$way"
                echo $(($(value ms "$folder/out.$way") - due)) >>"$folder/late.$way.$due"
                ! is_in_time "$folder/late.$way.$due" || break
            done
        done
    ) &
done
wait_for_all
for way in poll wait fdset socket; do
    for due in 60 150 340; do
        at_most "by $way: a call that is due in $due ms is tried again then, ms late" "$(sort -n "$folder/late.$way.$due" | sed -n 2p)" 20
        at_least "by $way: and not before" "$(sort -n "$folder/late.$way.$due" | head -n 1)" 0
    done
done
# Where a rule sets no limits, nothing but the wait itself is to be looked for.
for way in poll wait fdset socket; do
    for try in 1 2 3; do
        timeout 60 gusset run --policy standard --set retry.attempts=2 --set retry.backoff.base=150ms --set retry.backoff.jitter=none \
            --set retry.budget.ratio=100 --set timeout.attempt=0s --set timeout.total=0s -- \
            "$client" $way 1 1 "$folder/body" "$url/@?body=2000&key=free$way$try&first=1&status=503" >"$folder/out.$way"
        echo $(($(value ms "$folder/out.$way") - 150)) >>"$folder/late.$way.free"
    done
    at_most "by $way: a call under a rule without limits is tried again when it is due, ms late" "$(sort -n "$folder/late.$way.free" | head -n 1)" 50
done

done_testing
