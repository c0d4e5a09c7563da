#!/bin/bash
# The agent: health checks, pages and StatsD, with real servers; and that its end harms nobody. (sharing_test.sh: Redis.)
. "$(dirname "$0")/lib.sh"
start_upstream
export GUSSET_CONFIG=$folder/gusset.cfg
configure() {
    config "$GUSSET_CONFIG" <<CFG
hosts = ( { match = "*"; policy = "quick"; } );
services = ( { name = "user-service"; url = "http://127.0.0.1:$port";
               health: { path = "/health"; interval = "$1"; timeout = "2s"; failures = 2; }; } );
CFG
}
configure 1s

. "$(dirname "$0")/agents.sh"

# ---- what it is told ----
exits "with nothing to do it says so" 1 env GUSSET_CONFIG= gusset agent
says "and what there could be" "$err" 'nothing to do.*--listen'
exits "a port that is taken" 1 gusset agent --listen "$port"
says "is named" "$err" "--listen $port: somebody listens there already"
exits "a faulty configuration at the start" 1 gusset agent --config <(echo 'hosts = 1;') --listen 0

# ---- health ----
gusset run -- curl -s http://user-service/ >/dev/null
under=("${memcheck[@]}")
start_agent log --listen 0
under=()
says "it listens on loopback" "$url" '^http://127\.0\.0\.1:[0-9]+/$'
ok "a service is checked" until_true has "$folder/log" 'event=health .*service=user-service .*state=HEALTHY'
ask 'outage?for=0&status=503' >/dev/null
ok "again and again: it becomes unhealthy" until_true has "$folder/log" 'state=UNHEALTHY error=server_error reason="status 503" failures=2'
exits "its circuit opens" 7 gusset run -- curl -s http://user-service/
told() { gusset events | grep -c 'unhealthy .*user-service:80'; }
has_checked() { [ "$(ask "count?key=/health")" -ge "$1" ]; }
ok "which goes on as long as it is so" until_true has_checked $(($(ask 'count?key=/health') + 2))
is "and is told once" "$(told)" 1
ask up >/dev/null
ok "it is well again, and its circuit closes" until_true gusset run -- curl -sf http://user-service/

# ---- the pages ----
fits "/status is status --json" status "$(curl -s "${url}status")"
is "with the same hosts" "$(curl -s "${url}status" | grep -o '"host":"[^"]*"')" "$(gusset status --json | grep -o '"host":"[^"]*"')"
says "/metrics has the figures" "$(curl -s "${url}metrics")" '^gusset_service_health\{service="user-service",.*state="HEALTHY"\} 1$'
if command -v promtool >/dev/null; then
    is "promtool has no complaint" "$(curl -s "${url}metrics" | promtool check metrics 2>&1)" ""
else
    skip "promtool has no complaint" "prometheus is not installed"
fi
fits "/health is told of the agent itself" agent "$(curl -s "${url}health")"
is "well" "$(curl -s -o /dev/null -w '%{http_code}' "${url}health")" 200
gusset trip '<script>alert("x")&:80' --policy quick >/dev/null
page=$(curl -sD "$folder/head" "$url")
says "the page shows the service" "$page" '<td class="">user-service</td><td class="">127.0.0.1:'"$port"'</td><td class="good">HEALTHY'
says "the hosts" "$page" '<td class="">user-service:80</td>.*closed'
says "and what was decided" "$page" 'health checks fail; circuit open for'
says "a hostile name stays text, there and among the events" "$(grep -o '&lt;script&gt;alert(&quot;x&quot;)&amp;:80</td>' <<<"$page" | wc -l)" '^2$'
is_silent "nothing on it is fetched from elsewhere" "$page" '(src|href)="?(https?:)?//|<script|@import'
says "nor may be" "$(cat "$folder/head")" "^Content-Security-Policy: default-src 'none'"
if command -v xmllint >/dev/null; then
    is "xmllint reads it as HTML" "$(xmllint --html --noout - 2>&1 <<<"$page" | grep -v 'Tag footer invalid' | grep -c error)" 0
fi
is "another method is not allowed" "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "$url")" 405
is "another page is not there" "$(curl -s "${url}x")" "404 Not Found; there is GET /, GET /metrics, GET /status, GET /health"

# ---- what changes ----
before=$(grep -c event=reloaded "$folder/log")
configure 2s
ok "a changed file is read anew" until_true has "$folder/log" 'event=reloaded'
echo 'hosts = 1;' >>"$GUSSET_CONFIG"
ok "a faulty one is refused" until_true has "$folder/log" 'event=refused .*gusset.cfg'
is "and /health says so" "$(curl -s -o /dev/null -w '%{http_code}' "${url}health")" 503
says "and what is wrong" "$(curl -s "${url}health")" '"status":"faulty","fault":"[^"]*gusset.cfg:'
configure 1s
kill -HUP "$agent"
ok "SIGHUP reads it at once" until_true curl -sf "${url}health"
rm "$GUSSET_STATE"
says "a state that goes is told of" "$(curl -s "${url}metrics")" '^gusset_state_exists'
end_agent
is "SIGTERM ends it well, and memcheck has found nothing" $? 0
says "and it says so" "$(tail -n 1 "$folder/log")" 'event=ended'
start_agent ndjson --json --listen 0
end_agent
is_json "with --json its log is NDJSON" "$(cat "$folder/ndjson")"

# ---- what is scarce, or broken ----
# spent PID: processor time in hundredths of a second
spent() { awk '{print $14 + $15}' "/proc/$1/stat"; }
if command -v prlimit >/dev/null; then
    under=(prlimit --nofile=20)
    start_agent scarce --listen 0
    under=()
    where=${url#http://} before=$(spent "$agent")
    held=()
    for _ in $(seq 15); do
        exec {connection}<>"/dev/tcp/${where%%:*}/$(tr -dc 0-9 <<<"${where##*:}")"
        held+=("$connection")
    done
    sleep 1.5
    at_most "who has no descriptor left for a connection waits, and does not spin" $(($(spent "$agent") - before)) 40
    for connection in "${held[@]}"; do exec {connection}>&-; done
    ok "and serves again when there is one" until_true curl -sf "${url}health"
    end_agent
else
    skip "who has no descriptor left for a connection" "prlimit is not installed"
fi
head -c 8192 /dev/urandom >"$GUSSET_STATE"
chmod 600 "$GUSSET_STATE"
mkfifo "$folder/said"
gusset agent --statsd 127.0.0.1:9 --interval 300ms 2>"$folder/said" &
agent=$!
servers+=("$agent")
exec {said}<"$folder/said"
read -r _ <&"$said"
sleep 1.5
exec {said}<&-
sleep 0.7
ok "a state that cannot be read, and nobody who hears of it, do not end it" kill -0 "$agent"
at_most "nor does it look all the time" "$(spent "$agent")" 40
end_agent
start_agent damaged --json --listen 0
is "its pages say so" "$(curl -s -o /dev/null -w '%{http_code}' "${url}metrics" "${url}status" -o /dev/null)" 503503
end_agent
is_json "and its log, in its form" "$(cat "$folder/damaged")"
is "once" "$(grep -c 'is damaged' "$folder/damaged")" 1
rm -f "$GUSSET_STATE"
in_state() {
    config "$folder/stated.cfg" <<CFG
state: { path = "$folder/$1"; };
hosts = ( { match = "*"; policy = "quick"; } );
services = ( { name = "here"; url = "http://127.0.0.1:$port"; health: { path = "/health"; interval = "1s"; }; } );
CFG
}
in_state first
under=(env -u GUSSET_STATE)
start_agent stated --config "$folder/stated.cfg" --listen 0
until_true test -e "$folder/first"
in_state second
checked_there() { gusset status --state "$folder/second" && curl -s "${url}status" | grep -qF "\"state\":\"$folder/second\""; }
ok "a configuration that names another state is followed there, by checks and by pages" until_true checked_there
end_agent
# What stands where standard error was must not be written to.
under=(bash -c 'exec 0<&- 1>&- 2>&-; exec "$@"' -)
start_agent closed --look
under=()
descriptors() { readlink "/proc/$agent/fd/"[012] | tr '\n' ' '; }
has_begun() { [ -e "/proc/$agent/fd/3" ]; }
ok "with standard descriptors closed" until_true has_begun
is "none of its own is taken for one" "$(descriptors)" "/dev/null /dev/null /dev/null "
end_agent
is "which the program of gusset run finds closed" "$(gusset run -- bash -c '[ -e /proc/self/fd/0 ] || echo closed' 0<&-)" closed

# ---- StatsD ----
if command -v python3 >/dev/null; then
    # start_statsd PORT FILE: a server: a datagram a line, its lines parted by spaces as none is in one; then its length.
    start_statsd() {
        python3 -uc 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", int(sys.argv[1]))); print(s.getsockname()[1])
while True:
    d = s.recv(65536); print(d.decode().replace("\n", " "), "=", len(d))' "$1" >"$2" &
        statsd=$!
        servers+=("$statsd")
        until_true has "$2" .
    }
    start_statsd 0 "$folder/statsd"
    exits "StatsD nowhere is refused" 1 gusset agent --statsd 127.0.0.1
    says "with what is expected" "$err" 'HOST:PORT'
    exits "an interval that is none is misuse" 2 gusset agent --statsd 127.0.0.1:8125 --interval often
    gusset run -- curl -s "http://127.0.0.1:$port/" >/dev/null
    under=("${memcheck[@]}")
    start_agent statsd.log --listen 0 --look --statsd "127.0.0.1:$(head -n 1 "$folder/statsd")" --interval 200ms
    under=()
    curl -s "${url}health" >/dev/null # by then it has begun
    for _ in 1 2 3; do gusset run -- curl -s "http://127.0.0.1:$port/" >/dev/null; done
    tags="#host:127.0.0.1:$port,policy:quick,mode:enforce"
    ok "what is counted is sent" until_true has "$folder/statsd" "gusset.calls:[123]\|c\|$tags( |$)"
    sent() { grep -o "gusset.$1:[0-9]*|c|$tags" "$folder/statsd" | sed 's/.*:\([0-9]*\)|c.*/\1/' | awk '{sum += $1} END {print sum + 0}'; }
    has_sent() { [ "$(sent "$1")" -ge "$2" ]; }
    ok "each call once" until_true has_sent calls 3
    ok "with a timer" has "$folder/statsd" "gusset.call_duration:[0-9.]+\|ms(\|@[0-9.]+)?\|$tags"
    says "and the circuit" "$(cat "$folder/statsd")" "gusset.circuit_open:0\|g\|$tags"
    for path in $(seq 60); do gusset trip "host-$path.example.com:443" --policy quick; done >/dev/null
    until_true has "$folder/statsd" 'circuit_open:1\|g\|#host:host-60'
    at_most "no datagram is longer than 1432 bytes" "$(sed -n 's/.* = //p' "$folder/statsd" | sort -n | tail -n 1)" 1432
    gusset reset >/dev/null
    gusset run -- curl -s "http://127.0.0.1:$port/" >/dev/null
    end_agent
    is "what came last is sent at the end" "$(sent calls)" 4
    start_agent untagged --listen 0 --look --untagged --statsd "127.0.0.1:$(head -n 1 "$folder/statsd")" --interval 200ms
    curl -s "${url}health" >/dev/null
    gusset run -- curl -s "http://127.0.0.1:$port/" >/dev/null
    ok "untagged the host is in the name" until_true has "$folder/statsd" "gusset.127_0_0_1_$port.quick.enforce.calls:1\|c( |$)"
    kill "$statsd"
    wait "$statsd" 2>/dev/null
    gusset run -- curl -s "http://127.0.0.1:$port/" >/dev/null
    gusset trip "127.0.0.1:$port" >/dev/null # told at each interval
    ok "a server that goes is told of" until_true has "$folder/untagged" 'does not take datagrams'
    sleep 1 # five datagrams
    start_statsd "$(head -n 1 "$folder/statsd")" "$folder/statsd again"
    ok "one that comes back, too" until_true has "$folder/untagged" 'server takes datagrams'
    is "each once" "$(grep -c 'event=statsd .*datagrams' "$folder/untagged")" 2
    gusset reset >/dev/null
    end_agent
    is "and harms nothing" $? 0
else
    skip "StatsD" "python3 is not installed"
fi

done_testing
