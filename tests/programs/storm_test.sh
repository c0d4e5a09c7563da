#!/bin/bash
# Fifty clients that loop, each a process: an outage is not amplified, the server is spared while it is down, recovery is
# quick and no stampede, and a brownout is not made worse.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/storm
config "$folder/s.cfg" <<'END'
policies: {
  budget:  { retry: { attempts = 3; backoff: { base = "5ms"; cap = "20ms"; }; budget: { ratio = 20; floor = 1; }; }; };
  breaker: { extends = "budget"; breaker: { open = "1s"; open_cap = "1s"; }; };
  waits:   { extends = "breaker"; breaker: { reject = "wait"; }; timeout: { total = "20s"; }; };
};
hosts = (
  { match = "127.0.0.1"; policy = "breaker"; },
  { match = "127.0.0.1"; paths = ["/budget*"]; policy = "budget"; },
  { match = "127.0.0.1"; paths = ["/waits*"]; policy = "waits"; }
);
END
export GUSSET_CONFIG=$folder/s.cfg
gusset run -- true
storm() { LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$client" "$@"; }
since_ms() { echo $(((${EPOCHREALTIME/./} - $1) / 1000)); }

# ---- an outage, with the budget alone ----
ask outage >/dev/null
read -r calls good < <(storm 50 1000 10 "$url/budget")
is "while the server is down no call succeeds" "$good" 0
at_most "with the budget alone, requests that reach it are at most 1.2 for a call: $calls calls" "$(ask total)" $((calls * 12 / 10 + 25))

# ---- with the breaker: an outage, and what comes after; for who is refused and who waits ----
# recovers PATH NAME
recovers() {
    local calls healthy before up back after
    forget
    ask up >/dev/null
    storm 50 5200 10 "$url$1" >"$folder/storm" &
    local storm=$!
    sleep 0.5
    before=$(ask total)
    sleep 1
    healthy=$(($(ask total) - before))
    ask outage >/dev/null
    sleep 0.4 # those under way have ended
    before=$(ask total)
    sleep 1
    after=$(ask total)
    at_most "$2: while the server is down it is left in peace: of some $healthy requests a second these come" $((after - before)) \
        $((healthy / 20 + 3))
    ask up >/dev/null
    up=${EPOCHREALTIME/./}
    before=$(ask total)
    until [ "$(ask total)" -gt $((before + 3)) ] || [ "$(since_ms "$up")" -gt 5000 ]; do sleep 0.01; done
    at_most "$2: calls succeed within the open time after it is back, milliseconds" "$(since_ms "$up")" 1600
    before=$(ask total)
    back=${EPOCHREALTIME/./}
    sleep 1
    after=$((($(ask total) - before) * 1000 / $(since_ms "$back")))
    at_most "$2: the first second after it sees no stampede, against $healthy requests in a healthy one" "$after" $((healthy * 3 / 2 + 10))
    wait "$storm"
    read -r calls good <"$folder/storm"
    at_least "$2: and calls go on as before: $good good of $calls" "$good" "$healthy"
}
recovers /breaker "refused at once"
recovers /waits "waiting"

forget
ask outage >/dev/null
read -r calls good < <(storm 50 2000 10 "$url/breaker")
at_most "with the breaker a twentieth of $calls calls reaches a server that is down all the time" "$(ask total)" $((calls / 20 + 5))
ask up >/dev/null

# ---- a brownout, of a server that was well before ----
forget
storm 50 2500 10 "$url" >"$folder/storm" &
storm=$!
sleep 0.5
ask 'mode?fail=50&seed=3' >/dev/null
wait "$storm"
ask mode >/dev/null
read -r calls good <"$folder/storm"
at_most "where half of all requests fail, the server's load is at most 1.2 for a call: $calls calls" "$(ask total)" $((calls * 12 / 10 + 25))
at_least "as many of $calls calls succeed as would without, a half, less a twentieth of that" "$good" $((calls * 475 / 1000))
is "and the circuit has stayed closed" "$(counted opened)" 0

done_testing
