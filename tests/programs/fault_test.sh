#!/bin/bash
# Faults that are rehearsed: what an outage would do to a program, done to it inside of itself until a given time, through
# https too, in each interface and on raw connects; and nothing of it where nobody has allowed it.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
client=$BUILD/clients/callbacks
url=http://127.0.0.1:$port
tomorrow=$(date -u -d '+1 day' +%Y-%m-%dT%H:%M:%SZ)

# policy FAULT [GROUPS]: every call to 127.0.0.1, whose faults are allowed
policy() {
    printf '%s\n' 'version = 1; faults = true;' \
        "policies: { p: { fault: { percent = 100; until = \"$tomorrow\"; $1 }; ${2-} }; };" \
        'hosts = ( { match = "127.0.0.1"; policy = "p"; } );' | config "$folder/p.cfg"
    rm -f "$GUSSET_STATE"
    ask zero >/dev/null
}
under() { timeout 60 gusset run --config "$folder/p.cfg" -- "$@" 2> >(grep -v 'FAULTS ARE REHEARSED' >&2); }
ways=("" via=poll via=fdset via=socket)

# comes_to NAME ERROR WANTED...: each interface ends so
comes_to() {
    local name=$1 way
    for way in "${ways[@]}"; do
        # shellcheck disable=SC2086 # a word or none
        is "$name ${way:-easy}" "$(under "$client" "$url/x" $way "${@:3}" | tail -n 1)" "$2"
    done
}

policy 'error = "503";'
comes_to "a status" "result 0 status 503"
is "the server saw nothing" "$(ask total)" 0
is "it says that it is rehearsed" "$(under curl -si "https://127.0.0.1:$port/" | tr -d '\r' | grep -i fault)" "X-Gusset-Fault: rehearsed"
is "counted" "$(counted faults)" 5
is "and told of" "$(gusset events | grep -c 'fault .*attempt 1, rehearsed: 503')" 5
is "an error with a status" "$(under curl -sf "$url/"; echo $?)" 22
policy 'error = "refuse";'
comes_to "refused" "result 7 status 0"
policy 'error = "reset";'
comes_to "reset" "result 56 status 0"
is "reset through https" "$(under curl -sS "https://127.0.0.1:$port/" 2>&1; echo $?)" "curl: (56) Recv failure: Connection reset by peer
56"
policy 'error = "timeout";' 'timeout: { attempt = "150ms"; connect = "100ms"; };'
comes_to "timed out" "result 28 status 0"
policy 'error = "none"; delay = "150ms";'
for way in "${ways[@]}"; do
    began=$(date +%s%N)
    # shellcheck disable=SC2086
    result=$(under "$client" "$url/x" $way | tail -n 1)
    is "later, and well ${way:-easy}" "$result" "result 0 status 200"
    at_least "later by at least so much, in ms ${way:-easy}" $((($(date +%s%N) - began) / 1000000)) 150
done
policy 'error = "none"; delay = "60s";' 'timeout: { attempt = "150ms"; connect = "100ms"; };'
is "later than the rule would wait for" "$(under curl -s "$url/"; echo $?)" 28
policy 'error = "cut"; after = 5000;'
for way in "" -Z; do
    # shellcheck disable=SC2086
    is "a body cut after 5000 bytes ${way:-easy}" "$(under curl -s $way -o "$folder/out" "$url/?body=100000" 2>/dev/null; echo $?) $(wc -c <"$folder/out")" "18 5000"
done
is "a body that is shorter is whole" "$(under curl -s "$url/?text=short")" short
is "curl -i: the headers are not of the body" "$(under curl -si "$url/?body=9000" | sed '1,/^\r$/d' | wc -c)" 5000

# ---- the rest of the rule sees it as it would an outage ----
policy 'error = "503";' 'retry: { attempts = 3; backoff: { base = "1ms"; cap = "1ms"; }; }; breaker: { consecutive = 4; open = "60s"; };'
is "tries, and a circuit that opens" "$(under curl -s -o /dev/null -w '%{http_code} ' "$url/1" --next -s -o /dev/null -w '%{http_code} ' "$url/2" --next -s -w '%{http_code}' "$url/3" | xargs) $(counted attempts) $(counted opened) $(counted rejected)" \
    "503 503 000 4 1 1"
policy 'error = "refuse";' 'retry: { attempts = 2; backoff: { base = "1ms"; cap = "1ms"; }; }; fallback: { body = "instead"; };'
is "and the fallback" "$(under curl -s "$url/1")" instead
policy 'percent = 50.0; error = "reset";' 'retry: { attempts = 20; budget: { ratio = 100; floor = 1000; }; backoff: { base = "1ms"; cap = "1ms"; }; };'
sed -i 's/percent = 100; //' "$folder/p.cfg"
is "half of the attempts: all calls are rescued" "$(under curl -s "$url/[1-40]?text=ok" | sort | uniq -c | xargs)" "40 ok"
at_least "struck" "$(counted faults)" 10
is "attempts that were not struck reached the server" "$(ask total)" 40

# ---- raw connects ----
if command -v nc >/dev/null; then
    policy 'error = "refuse";'
    is "a connect is refused" "$(under nc -N 127.0.0.1 "$port" </dev/null >/dev/null 2>&1; echo $?) $(ask connections)" "1 0"
    policy 'error = "503";'
    is "a connect has no status: it is let alone" "$(under nc -N 127.0.0.1 "$port" </dev/null >/dev/null 2>&1; echo $?) $(counted faults)" "0 0"
else
    skip "a connect is refused" "nc is not installed"
fi
policy 'error = "timeout";' 'timeout: { connect = "100ms"; };'
is "a connect that blocks times out" "$(under python3 -c "
import socket, errno
try: socket.create_connection(('127.0.0.1', $port))
except OSError as error: print(errno.errorcode.get(error.errno, error))")" ETIMEDOUT

# ---- only where it is allowed, and loudly ----
policy 'error = "503";'
is "run says so" "$(gusset run --config "$folder/p.cfg" -- true 2>&1 | sed 's/until.*//')" \
    "gusset: FAULTS ARE REHEARSED by policy p: 503 for 100 % of the attempts, 0s later, "
is "and status" "$(GUSSET_CONFIG=$folder/p.cfg gusset status | grep -c 'FAULTS ARE REHEARSED by policy p')" 1
sed -i 's/faults = true;//' "$folder/p.cfg"
is "without faults = true nothing is done" "$(under curl -s "$url/?text=well")" well
is "and nothing said" "$(gusset run --config "$folder/p.cfg" -- true 2>&1)" ""
is "run --allow-faults allows them" "$(gusset run --allow-faults --config "$folder/p.cfg" -- curl -s -o /dev/null -w '%{http_code}' "$url/" 2>/dev/null)" 503
policy 'error = "503"; until = "2020-01-01T00:00:00Z";'
sed -i "s/until = \"$tomorrow\"; //" "$folder/p.cfg"
is "past its end nothing is done" "$(under curl -s "$url/?text=well")" well
policy 'error = "503";'
is "nor in shadow" "$(GUSSET_MODE=shadow under curl -s "$url/?text=well") $(counted faults)" "well 0"

# wrong FAULT SENTENCE
wrong() {
    printf '%s\n' 'version = 1;' "policies: { p: { fault: { $1 }; }; };" 'hosts = ( { match = "*"; policy = "p"; } );' | config "$folder/w.cfg"
    is "check: $1" "$(gusset check "$folder/w.cfg" 2>&1 | grep -c "w.cfg:2: .*$2")" 1
}
until="until = \"$tomorrow\";"
wrong 'percent = 10;' 'fault.until is missing, expected a time such as'
wrong 'until = "tomorrow";' 'fault.until: found "tomorrow", expected a time such as "2026-12-01T00:00:00Z"'
wrong 'until = "2026-02-30T00:00:00Z";' 'fault.until: found'
wrong "$until percent = 101;" 'fault.percent: found 101'
wrong "$until error = \"404x\";" 'fault.error: found "404x", expected a status from 400 to 599 or one of none, refuse, reset, timeout, cut'
wrong "$until error = \"200\";" 'fault.error: found "200"'
wrong "$until delay = \"2\";" 'fault.delay: found "2", expected a duration'
wrong "$until after = \"x\";" 'fault.after: found'
done_testing
