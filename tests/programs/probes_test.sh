#!/bin/bash
# Half open lets through exactly the probes that the rule says, with 20 processes racing and one in five of them killed.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
config "$folder/p.cfg" <<'END'
policies: {
  probes: { breaker: { probes = 3; open = "300ms"; open_cap = "300ms"; }; timeout: { connect = "500ms"; attempt = "4s"; }; };
};
hosts = ( { match = "127.0.0.1"; policy = "probes"; } );
END
export GUSSET_CONFIG=$folder/p.cfg
gusset run -- true

for _ in 1 2 3 4 5; do LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/probes?status=503"; done
ask zero >/dev/null
sleep 0.4
pids=()
for _ in $(seq 20); do
    LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/probes?delay=2000" &
    pids+=($!)
done
{
    for i in 3 8 13; do kill -9 "${pids[i]}"; done
    for _ in $(seq 100); do
        [ "$(gusset events | grep -c ' probe ')" -lt 3 ] || break
        sleep 0.02
    done
    sleep 0.7 # those that were refused have ended
    for pid in "${pids[@]}"; do kill -9 "$pid" && break; done # and so one of those that probe is met
} 2>/dev/null
sleep 0.3
is "of 20 processes that race for a half open circuit, one in five of them killed, three get through" \
    "$(gusset events | grep -c ' probe ')" 3
at_most "the server sees no more of them" "$(ask total)" 3
for pid in "${pids[@]}"; do wait "$pid"; done 2>/dev/null
is "the circuit waits for the probe that never comes back" "$(gusset status --json | grep -o '"circuit":"[a-z ]*"')" '"circuit":"half open"'
until LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/probes?delay=20"; do sleep 0.1; done
is "until its lease is over, and closes when another has taken its place" \
    "$(for _ in 1 2 3 4 5; do LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/probes"; done | grep -c ok)" 5

done_testing
