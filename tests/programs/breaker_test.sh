#!/bin/bash
# The circuit beyond opening and probing: slow replies, waiting for it at each door, held closed by hand, growing open
# times, and a machine that has lost its network.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
config "$folder/b.cfg" <<'END'
policies: {
  slow:  { breaker: { slow: { over = "150ms"; percent = 50; }; rate: { minimum = 4; }; open = "30s"; }; };
  plain: { breaker: { open = "30s"; }; };
  flaps: { breaker: { consecutive = 2; open = "300ms"; open_cap = "10s"; }; };
  waits: { breaker: { reject = "wait"; consecutive = 2; open = "1s"; open_cap = "1s"; }; retry: { attempts = 1; wait = "5s"; };
           timeout: { total = "10s"; }; };
  brief: { breaker: { reject = "wait"; }; timeout: { total = "700ms"; }; };
};
hosts = (
  { match = "127.0.0.1"; policy = "plain"; },
  { match = "127.0.0.1"; paths = ["/slow*"]; policy = "slow"; },
  { match = "127.0.0.1"; paths = ["/waits*"]; policy = "waits"; },
  { match = "127.0.0.1"; paths = ["/flaps*"]; policy = "flaps"; },
  { match = "127.0.0.1"; paths = ["/brief*"]; policy = "brief"; },
  { match = "localhost"; policy = "waits"; },
  { match = "10.0.0.0/8"; policy = "plain"; }
);
END
export GUSSET_CONFIG=$folder/b.cfg
gusset run -- true
wrapped() { LD_PRELOAD=$BUILD/libgusset.so timeout 30 "$@"; }
since_ms() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }

# ---- slow replies ----
for _ in 1 2 3 4; do wrapped curl -s -o /dev/null "$url/slow?delay=250"; done
wrapped curl -s -o /dev/null "$url/slow"
is "a host whose replies are slow is left alone as one that fails" "$? $(counted failures)" "7 0"
forget
for _ in 1 2 3 4 5 6; do wrapped curl -s -o /dev/null "$url/slow?body=3000&slow=10000"; done
is "a body that takes its time is not a slow reply" "$(wrapped curl -s "$url/slow")" ok

# ---- waiting ----
# trips POLICY: its circuit opens
trips() {
    forget
    for _ in 1 2; do wrapped curl -s -o /dev/null "$url/$1?status=503"; done
}
trips waits
began=${EPOCHREALTIME/./}
is "curl waits until the circuit lets it probe" "$(wrapped curl -s "$url/waits")" ok
at_least "which takes the open time, milliseconds" "$(since_ms "$began")" 600
is "that it waited is counted and recorded" "$(counted waited) $(gusset events | grep -c 'waits .*kept waiting')" "1 1"
trips waits
for _ in 1 2 3 4 5 6; do LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/waits?key=six" >>"$folder/six" & pids+=($!); done
wait "${pids[@]}"
is "of six processes that wait one probes, and all get their reply" "$(grep -c ok "$folder/six") $(ask 'count?key=six')" "6 6"
curl -s "$url/x?body=100" >"$folder/body"
trips waits
is "an event loop parks the calls that wait" \
    "$(wrapped "$BUILD/clients/many" poll 8 8 "$folder/body" "$url/waits?body=100" | head -n 1)" \
    "8 good, 0 with a wrong body, 0 failed, 0 faults"
gusset trip "127.0.0.1:$port" --policy brief >/dev/null
began=${EPOCHREALTIME/./}
wrapped curl -s "$url/brief"
is "who has waited for timeout.total is refused" "$?" 7
at_least "then, milliseconds" "$(since_ms "$began")" 650
gusset trip "localhost:$port" --policy waits --for 1s >/dev/null
began=${EPOCHREALTIME/./}
wrapped bash -c "exec 3<>/dev/tcp/localhost/$port"
is "connect(2) on a socket that blocks waits" "$?" 0
at_least "as long, milliseconds" "$(since_ms "$began")" 600
if command -v nc >/dev/null; then # openbsd's connects on sockets that do not block
    gusset trip "localhost:$port" --policy waits --for 1s >/dev/null
    wrapped nc -z localhost "$port"
    is "and on one that does not, within retry.wait" "$?" 0
else
    skip "and on one that does not, within retry.wait" "nc is not installed"
fi

# ---- by hand ----
forget
is "a circuit is held closed by hand, before any call" "$(gusset reset "127.0.0.1:$port" --hold --for 1h)" \
    "127.0.0.1:$port, policy plain: held closed for 1 h 0 m"
for _ in $(seq 12); do wrapped curl -s -o /dev/null "$url/?status=503"; done
is "then it does not open, whatever fails" "$(ask 'count?key=/') $(counted opened)" "12 0"
ok "status says so" grep -q 'held closed for' <<<"$(gusset status)"
ok "and JSON" grep -q '"held":true' <<<"$(gusset status --json)"
ok "and events" grep -q 'held closed by hand for' <<<"$(gusset events)"
gusset reset "127.0.0.1:$port" >/dev/null
for _ in $(seq 12); do wrapped curl -s -o /dev/null "$url/?status=503"; done
is "reset lets go of it" "$(counted opened)" 1
gusset reset --hold 2>/dev/null
is "holding wants a host" "$?" 2
gusset reset "127.0.0.1:$port" --for 1h 2>/dev/null
is "--for wants --hold" "$?" 2
gusset reset "127.0.0.1:$port" --hold --for never 2>/dev/null
is "and a duration" "$?" 2

# ---- a circuit that flaps ----
forget
opened_for() { gusset events -n all --json | grep '"event":"opened"' | grep -o '"open_ms":[0-9]*' | cut -d: -f2; }
for _ in 1 2 3; do
    wrapped curl -s "$url/flaps?status=503" "$url/flaps?status=503" >/dev/null
    until wrapped curl -s -o /dev/null "$url/flaps"; do sleep 0.05; done
done
mapfile -t times < <(opened_for)
at_least "one that opens again as soon as it closed stays open longer each time: ${times[*]} ms" "${times[2]:-0}" 1000
at_most "from the time that the rule says, up to a tenth less" "${times[0]:-9999}" 300

# ---- no network ----
if unshare -rn true 2>/dev/null; then
    forget
    # shellcheck disable=SC2016
    unshare -rn bash -c 'for _ in $(seq 20); do for i in 1 2 3; do
        LD_PRELOAD=$0/libgusset.so curl -s -o /dev/null -m 2 "http://10.0.0.$i/"; done; done' "$BUILD"
    is "where the machine has lost its network no circuit opens" "$(counted opened)" 0
    at_least "the failures are counted by themselves" "$(counted offline)" 50
    is "and it is recorded once" "$(gusset events -n all | grep -c 'lost its network')" 1
else
    skip "where the machine has lost its network no circuit opens" "no network namespace may be made here"
fi

done_testing
