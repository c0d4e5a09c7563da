#!/bin/bash
# Calls in flight over all processes: never more than the bulkhead says, by the server's own account; a place comes
# back from whoever is killed, leaves by exit or longjmp, and is never given away by a child.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
config "$folder/b.cfg" <<'END'
policies: {
  bulked:  { bulkhead: { calls = 3; }; };
  patient: { bulkhead: { calls = 3; wait = "20s"; }; };
  hasty:   { bulkhead: { calls = 3; wait = "300ms"; }; };
};
hosts = (
  { match = "127.0.0.1"; policy = "bulked"; },
  { match = "127.0.0.1"; paths = ["/patient*"]; policy = "patient"; },
  { match = "127.0.0.1"; paths = ["/hasty*"]; policy = "hasty"; }
);
END
export GUSSET_CONFIG=$folder/b.cfg
gusset run -- true
wrapped() { LD_PRELOAD=$BUILD/libgusset.so "$@"; }
in_flight() { gusset status --json | grep -o '"in_flight":[0-9]*' | awk -F: '{sum += $2} END {print sum + 0}'; }
# slay PID...: kills them, which takes a moment
slay() {
    local pid
    kill -9 "$@"
    for pid; do while kill -0 "$pid" 2>/dev/null; do sleep 0.01; done; done
}
# hold COUNT PATH: so many calls that do not end, each a process; sets pids
hold() {
    local want
    want=$(($(ask "count?key=$2") + $1))
    pids=()
    for _ in $(seq "$1"); do
        LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url$2?stall=headers" &
        pids+=($!)
        disown $!
    done
    until [ "$(ask "count?key=$2")" -ge "$want" ]; do sleep 0.01; done
}

hold 3 /hold
is "three calls are in flight" "$(in_flight)" 3
text=$(wrapped curl -sS "$url/more" 2>&1)
is "a fourth is refused, whichever process makes it" "$? $(ask 'count?key=/more')" "7 0"
ok "with a sentence that says why" grep -q "127.0.0.1:$port refused: bulkhead full by policy bulked, 3 calls are in flight" <<<"$text"
is "it is counted" "$(counted crowded)" 1
ok "recorded" grep -q 'crowded .*in flight' <<<"$(gusset events)"
ok "and shown" grep -q '3/3' <<<"$(gusset status)"
kill -9 "${pids[0]}"
is "the place of a call that was killed is free at once, though nobody has waited for its process" "$(wrapped curl -s "$url/more")" ok
slay "${pids[1]}" "${pids[2]}"
is "and nothing is in flight once all were killed" "$(in_flight)" 0

# ---- waiting ----
began=${EPOCHREALTIME/./}
pids=()
for _ in $(seq 12); do
    LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/patient?delay=150" >>"$folder/bodies" &
    pids+=($!)
done
wait "${pids[@]}"
is "twelve processes that may wait all get their reply" "$(grep -c ok "$folder/bodies")" 12
at_least "three at a time, milliseconds" $(((${EPOCHREALTIME/./} - began) / 1000)) 600
at_least "those that waited are counted" "$(counted waited)" 6
curl -s "$url/x?body=100" >"$folder/body"
began=${EPOCHREALTIME/./}
is "so do twelve calls of an event loop, which parks those that wait" \
    "$(wrapped timeout 20 "$BUILD/clients/many" poll 12 12 "$folder/body" "$url/patient?delay=150&body=100" | head -n 1)" \
    "12 good, 0 with a wrong body, 0 failed, 0 faults"
at_least "three at a time, milliseconds" $(((${EPOCHREALTIME/./} - began) / 1000)) 600
is "no place is left held" "$(in_flight)" 0

hold 3 /hasty
began=${EPOCHREALTIME/./}
wrapped curl -s "$url/hasty"
is "a call that has waited as long as it may is refused" "$?" 7
at_least "not before, milliseconds" $(((${EPOCHREALTIME/./} - began) / 1000)) 300
kill -9 "${pids[@]}"

# ---- calls that never end ----
forget
wrapped "$BUILD/clients/jump" clean "$url/jump?body=100000" "$url/other" >/dev/null
is "longjmp out of a callback and cleaning up gives the place back" "$(in_flight) $(counted calls)" "0 2"
forget
for _ in 1 2 3 4 5 6; do
    hold 1 /row
    kill -9 "${pids[@]}"
done
is "so does each of six that are killed in a row" "$(ask 'count?key=/row')" 6

forget
hold 2 /hold
LD_PRELOAD=$BUILD/libgusset.so "$BUILD/clients/jump" alone "$url/alone?stall=headers" >/dev/null &
pids+=($!)
disown $!
until [ "$(ask 'count?key=/alone')" -ge 1 ]; do sleep 0.01; done
is "a process whose first thread has ended keeps its place while another makes the call" "$(wrapped curl -s "$url/more"; echo "$?") $(in_flight)" "7 3"
kill -9 "${pids[2]}"
is "until it is killed" "$(wrapped curl -s "$url/more") $(in_flight)" "ok 2"
kill -9 "${pids[@]}" 2>/dev/null

# ---- connect(2) ----
if command -v nc >/dev/null; then
    forget
    hold 3 /hold
    wrapped bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null
    is "a connect(2) is refused by the same bulkhead" "$?" 1
    slay "${pids[@]}"
    wrapped nc -z 127.0.0.1 "$port"
    is "and goes when there is a place again" "$?" 0
else
    skip "a connect(2) is refused by the same bulkhead" "nc is not installed"
fi

# ---- other namespaces ----
# One call to an upstream of its own from within a pid namespace of its own, with that namespace's /proc or with ours.
inside() { LD_PRELOAD=$BUILD/libgusset.so unshare --pid --fork --kill-child "$@"; }
if unshare --pid --fork --mount-proc true 2>/dev/null; then
    for proc in --mount-proc --; do
        forget
        hold 2 /hold
        ask zero >/dev/null
        inside $proc curl -s -o /dev/null "$url/inside?stall=headers" &
        namespace=$!
        disown $namespace
        until [ "$(ask 'count?key=/inside')" -ge 1 ]; do sleep 0.01; done
        wrapped curl -s -o /dev/null "$url/more"
        is "a call in another pid namespace holds its place (unshare $proc)" "$?" 7
        slay $namespace
        wrapped curl -s -o /dev/null "$url/more"
        is "also when it was killed, until its lease is over: from here nobody can tell" "$?" 7
        kill -9 "${pids[@]}"
    done
    forget
    # shellcheck disable=SC2016 # of the shell within
    is "within one they are told as anywhere: held, then killed" "$(inside --mount-proc bash -c '
        for _ in 1 2 3; do curl -s -o /dev/null "$1/inside2?stall=headers" & pids+=($!); done
        until [ "$(LD_PRELOAD= curl -s "http://$2/count?key=/inside2")" -ge 3 ]; do sleep 0.01; done
        curl -s -o /dev/null "$1/"
        echo $?
        kill -9 "${pids[0]}"
        curl -s -o /dev/null "$1/"
        echo $?
        kill -9 "${pids[@]}"' bash "$url" "$control" 2>/dev/null | tr '\n' ' ')" "7 0 "
else
    skip "places over pid namespaces" "this machine does not let us unshare"
fi

# ---- shadow, and no rule ----
forget
hold 3 /hold
is "in shadow nobody is refused" "$(GUSSET_MODE=shadow wrapped curl -s "$url/")" ok
kill -9 "${pids[@]}"
ok "explain shows it" grep -q 'calls *3' <<<"$(gusset explain "$url/patient")"

done_testing
