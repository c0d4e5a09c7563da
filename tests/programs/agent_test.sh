#!/bin/bash
# The agent: health checks, pages, StatsD and the sharing of circuits, with real servers; and that its end harms nobody.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
export GUSSET_CONFIG=$folder/gusset.cfg
configure() {
    config "$GUSSET_CONFIG" <<CFG
policies: { shared: { breaker: { consecutive = 2; open = "30s"; rate: { window = "1s"; }; }; }; };
hosts = ( { match = "api.test"; policy = "shared"; }, { match = "*"; policy = "quick"; } );
services = ( { name = "user-service"; url = "http://127.0.0.1:$port";
               health: { path = "/health"; interval = "$1"; timeout = "2s"; failures = 2; }; } );
CFG
}
configure 1s

# until_true COMMAND...: within ten seconds
until_true() {
    for _ in $(seq 200); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.05
    done
    return 1
}
has() { grep -qE -- "$2" "$1"; }

# start_agent NAME OPTION...: its log goes to $folder/NAME, its number to $agent, its page to $url
start_agent() {
    local name=$1
    shift
    : >"$folder/$name" # the redirection below may come later than the first look
    gusset agent "$@" 2>>"$folder/$name" &
    agent=$!
    servers+=("$agent")
    [[ " $* " != *" --listen "* ]] || until_true has "$folder/$name" 'event"?[=:]"?listening'
    url=$(grep -oE 'http://[^" ]+/' "$folder/$name" | head -n 1)
}
end_agent() {
    kill -TERM "$agent"
    wait "$agent"
}

# ---- what it is told ----
exits "with nothing to do it says so" 1 env GUSSET_CONFIG= gusset agent
says "and what there could be" "$err" 'nothing to do.*--listen'
exits "a port that is taken" 1 gusset agent --listen "$port"
says "is named" "$err" "--listen $port: Address already in use"
exits "a faulty configuration at the start" 1 gusset agent --config <(echo 'hosts = 1;') --listen 0

# ---- health ----
gusset run -- curl -s http://user-service/ >/dev/null
start_agent log --listen 0
says "it listens on loopback" "$url" '^http://127\.0\.0\.1:[0-9]+/$'
ok "a service is checked" until_true has "$folder/log" 'event=health .*service=user-service .*state=HEALTHY'
ask 'outage?for=0&status=503' >/dev/null
ok "again and again: it becomes unhealthy" until_true has "$folder/log" 'state=UNHEALTHY error=server_error reason="status 503" failures=2'
exits "its circuit opens" 7 gusset run -- curl -s http://user-service/
ask up >/dev/null
ok "it is well again, and its circuit closes" until_true gusset run -- curl -sf http://user-service/

# ---- the pages ----
fits "/status is status --json" status "$(curl -s "${url}status")"
is "with the same hosts" "$(field "$(curl -s "${url}status")" '[h["host"] for h in d["hosts"]]')" \
    "$(field "$(gusset status --json)" '[h["host"] for h in d["hosts"]]')"
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
fits "as an object" agent "$(curl -s "${url}health")"
configure 1s
kill -HUP "$agent"
ok "SIGHUP reads it at once" until_true curl -sf "${url}health"
rm "$GUSSET_STATE"
says "a state that goes is told of" "$(curl -s "${url}metrics")" '^gusset_state_exists'
end_agent
is "SIGTERM ends it well" $? 0
says "and it says so" "$(tail -n 1 "$folder/log")" 'event=ended'
start_agent ndjson --json --listen 0
end_agent
is_json "with --json its log is NDJSON" "$(cat "$folder/ndjson")"

# ---- StatsD ----
if command -v python3 >/dev/null; then
    # A server: a datagram a line, its lines parted by spaces as none is in one; then its length.
    python3 -uc 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])
while True:
    d = s.recv(65536); print(d.decode().replace("\n", " "), "=", len(d))' >"$folder/statsd" &
    statsd=$!
    servers+=("$statsd")
    until_true has "$folder/statsd" .
    exits "StatsD nowhere is refused" 1 gusset agent --statsd 127.0.0.1
    says "with what is expected" "$err" 'HOST:PORT'
    exits "an interval that is none is misuse" 2 gusset agent --statsd 127.0.0.1:8125 --interval often
    gusset run -- curl -s "http://127.0.0.1:$port/" >/dev/null
    start_agent statsd.log --listen 0 --look --statsd "127.0.0.1:$(head -n 1 "$folder/statsd")" --interval 200ms
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
    gusset reset >/dev/null
    end_agent
    is "and harms nothing" $? 0
else
    skip "StatsD" "python3 is not installed"
fi

# ---- shared between machines ----
# Two machines are two states; the name api.test leads nowhere on the one and to the server on the other.
if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
    redis_port=$(free_port)
    start_redis() {
        redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --requirepass 'se:cret%' --dir "$folder" >"$folder/redis.log" &
        redis=$!
        servers+=("$redis")
        until_true redis 'PING'
    }
    export REDISCLI_AUTH='se:cret%'
    redis() { redis-cli -p "$redis_port" "$@"; }
    on() { GUSSET_STATE=$folder/machine-$1 "${@:2}"; }
    call() { on "$1" gusset run -- curl -s --resolve "api.test:$port:$2" "http://api.test:$port/?x" -o /dev/null; }
    circuit() { field "$(on "$1" gusset status --json)" '[(h["circuit"], h["elsewhere"]) for h in d["hosts"] if "api.test" in h["host"]][0]'; }
    is_circuit() { [ "$(circuit "$1")" = "$2" ]; }
    texts() { redis --raw EVAL 'local t = {} for _, k in ipairs(redis.call("KEYS", "gusset:{*agent:*")) do t[#t + 1] = redis.call("GET", k) end return table.concat(t)' 0; }
    start_redis
    echo "redis://:se%3acret%25@127.0.0.1:$redis_port/3" >"$folder/url"
    chmod 600 "$folder/url"
    exits "a URL that is none" 1 gusset agent --redis 'http://:se:cret@127.0.0.1'
    is_silent "is not repeated" "$err" 'cret'
    exits "an unset variable" 1 gusset agent --redis '${NO_SUCH_URL}'
    says "is named" "$err" 'NO_SUCH_URL'
    exits "a namespace that is none" 1 gusset agent --redis redis://127.0.0.1 --namespace 'a b'
    sed -i '/^services/,$d' "$GUSSET_CONFIG" # nothing else goes on
    call 1 127.0.0.1
    call 2 127.0.0.1
    sleep 0.25 # the window of the rule, twice a slice: its call that went well is past
    for machine in 1 2; do
        GUSSET_STATE=$folder/machine-$machine start_agent "machine-$machine.log" --redis '${file:'"$folder/url}" --listen 0
        agents[machine]=$agent urls[machine]=$url
        until_true has "$folder/machine-$machine.log" 'circuits are shared'
    done
    is "both are connected" "$(field "$(curl -s "${urls[1]}health")" 'd["sharing"]') $(field "$(curl -s "${urls[2]}health")" 'd["sharing"]')" "connected connected"
    is_silent "the password stands in no log, page or command line" "$(cat "$folder"/machine-*.log; curl -s "${urls[1]}"; tr '\0' ' ' <"/proc/${agents[1]}/cmdline")" 'cret'
    for _ in 1 2; do call 1 127.0.0.2; done # nobody listens there
    is "it opens on one machine" "$(circuit 1)" "('open', False)"
    ok "and on the other" until_true is_circuit 2 "('open', True)"
    exits "where calls are refused" 7 call 2 127.0.0.1
    says "status says why" "$(on 2 gusset status)" 'open as elsewhere, probe in'
    says "so does an event" "$(on 2 gusset events)" 'followed .*api.test:[0-9]+ .*open on another machine'
    is "once" "$(on 2 gusset events | grep -c followed)" 1
    on 1 gusset reset api.test >/dev/null
    ok "it closes with the first" until_true is_circuit 2 "('closed', False)"
    exits "and calls go on" 0 call 2 127.0.0.1
    says "which is an event, too" "$(on 2 gusset events)" 'released .*closed on the other machine'
    is "nothing goes in circles" "$(grep -c event=followed "$folder/machine-1.log")" 0

    sleep 0.25
    on 1 gusset trip "api.test:$port" >/dev/null
    ok "what is tripped on one is open on both" until_true is_circuit 2 "('open', True)"
    on 2 gusset reset >/dev/null
    sleep 2.5 # two turns
    is "who is reset by hand stays so" "$(circuit 2)" "('closed', False)"
    on 1 gusset reset >/dev/null
    until_true test -z "$(texts)"

    # Somebody else's text: what is damaged says nothing, what is well formed is believed of known hosts alone.
    says_other() {
        printf '%b' "$1" | redis -n 3 -x SET 'gusset:{default}:agent:other' >/dev/null
        redis -n 3 SADD 'gusset:{default}:agents' other '../x y' "$(printf '%0400d' 0)" >/dev/null
    }
    redis -n 3 LPUSH 'gusset:{default}:agent:list' x >/dev/null
    redis -n 3 SADD 'gusset:{default}:agents' list >/dev/null
    says_other "gusset 1\nopen failures zz 1 api.test:$port shared\nopen\nopen failures 1 99999999999 api.test:$port shared\nopen hand 1 5000 evil.example:443 shared\n\xff\x00\n$(head -c 30000 /dev/zero | tr '\0' A)\nopen hand 2 5000 api.test:$port shared\n"
    sleep 2.5
    is "damaged values change nothing" "$(circuit 2) $(on 2 gusset status --json | grep -c evil)" "('closed', False) 0"
    says_other "gusset 1\nbogus\nopen hand 00000000000000aa 60000 api.test:$port shared\n"
    ok "a good line among bad ones holds" until_true is_circuit 2 "('open', True)"
    redis FLUSHALL >/dev/null
    left=$(field "$(on 2 gusset status --json)" '[h["probe_in_ms"] for h in d["hosts"] if "api.test" in h["host"]][0]')
    at_most "for a few seconds at a time" "${left/None/0}" 5500
    says_other "gusset 1\nclosed hand 00000000000000aa 0 api.test:$port shared\n"
    ok "until it closes" until_true is_circuit 2 "('closed', False)"
    redis FLUSHALL >/dev/null

    # Redis goes and comes back; an agent is killed.
    kill -KILL "$redis"
    wait "$redis" 2>/dev/null
    ok "a Redis that goes is told of" until_true has "$folder/machine-2.log" 'the Redis is away'
    exits "and changes nothing" 0 call 2 127.0.0.1
    is "/health is well all the same" "$(curl -s "${urls[2]}health" | grep -o '"status":"ok".*"sharing":"[a-z]*"' | grep -o away)" away
    start_redis
    both_share() { [ "$(cat "$folder"/machine-[12].log | grep -c 'circuits are shared$\|circuits are shared"$')" -ge 4 ]; }
    ok "it comes back" until_true both_share
    for _ in 1 2; do call 1 127.0.0.2; done
    ok "and circuits are shared again" until_true is_circuit 2 "('open', True)"
    kill -KILL "${agents[1]}"
    wait "${agents[1]}" 2>/dev/null
    at_most "an agent that is killed leaves a text that ends by itself" "$(redis -n 3 PTTL "$(redis -n 3 KEYS 'gusset:{default}:agent:*' | head -n 1)")" 4000
    is_free() { call 2 127.0.0.1; }
    ok "and nothing sticks" until_true is_free
    agent=${agents[2]}
    end_agent
    is "SIGTERM ends the other" $? 0
    kill "$redis"
else
    skip "circuits shared between machines" "redis-server or redis-tools is not installed"
fi

done_testing
