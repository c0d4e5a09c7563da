#!/bin/bash
# Services whose addresses the DNS knows (SRV records), against a real server: priority and weight are respected, an answer
# is kept for its time, and without one it is the domain itself. Needs a network of its own, and a resolv.conf.
skip_all() {
    echo "ok 0 # SKIP services by DNS SRV: $1"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}
command -v dnsmasq >/dev/null || skip_all "dnsmasq is not installed"
if [ -z "${GUSSET_OWN_DNS:-}" ]; then
    unshare -rnm true 2>/dev/null || skip_all "this machine does not allow a network and mount namespace (unshare -rnm)"
    GUSSET_OWN_DNS=yes exec unshare -rnm bash "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
ip link set lo up
printf 'nameserver 127.0.0.1\n' >"$folder/resolv.conf"
printf '127.0.0.1 localhost\n' >"$folder/hosts"
mount --bind "$folder/resolv.conf" "$(realpath /etc/resolv.conf)" && mount --bind "$folder/hosts" /etc/hosts ||
    skip_all "no resolv.conf of its own can be mounted"
start_upstream
first=$port
start_upstream
shut=$(free_port)

# dns OPTION...: the server, anew, with these records
dns() {
    [ -z "${dns_pid:-}" ] || { kill "$dns_pid" && wait "$dns_pid" 2>/dev/null; }
    dnsmasq --keep-in-foreground --user=root --group=root --pid-file= --conf-file=/dev/null --no-resolv --no-hosts --no-daemon \
        --listen-address=127.0.0.1 --bind-interfaces --log-queries --log-facility="$folder/dns.log" --local=/internal/ --local=/test/ \
        --host-record=a.internal,127.0.0.1 --host-record=b.internal,127.0.0.1 --host-record=bare.internal,127.0.0.1 "$@" 2>"$folder/dns.err" &
    dns_pid=$!
    servers+=("$dns_pid")
    for _ in $(seq 100); do
        grep -qs "started" "$folder/dns.log" && break
        sleep 0.02
    done
}
asked() { grep -c "query\[SRV\] $1" "$folder/dns.log"; }
config "$folder/srv.cfg" <<CFG
services = (
  { name = "one"; url = "srv:_http._tcp.one.internal"; },
  { name = "order"; url = "srv:_http._tcp.order.internal"; },
  { name = "weighed"; url = "srv:_http._tcp.weighed.internal"; },
  { name = "gone"; url = "srv:_http._tcp.gone.internal"; },
  { name = "bare"; url = "srv:_http._tcp.bare.internal"; },
  { name = "db"; url = "srv:_postgresql._tcp.db.internal"; }
);
CFG
export GUSSET_CONFIG=$folder/srv.cfg
run() { timeout 20 gusset run -- "$@"; }
records=(
    "--srv-host=_http._tcp.one.internal,a.internal,$port"
    "--srv-host=_http._tcp.order.internal,b.internal,$port,20,0" "--srv-host=_http._tcp.order.internal,a.internal,$first,10,0"
    "--srv-host=_http._tcp.weighed.internal,a.internal,$first,10,30" "--srv-host=_http._tcp.weighed.internal,b.internal,$port,10,10"
    "--srv-host=_postgresql._tcp.db.internal,a.internal,$port"
    "--srv-host=_http._tcp.gone.internal"
)
dns "${records[@]}" --local-ttl=60
if ! kill -0 "$dns_pid" 2>/dev/null; then
    fail "dnsmasq runs" "$(tail -n 2 "$folder/dns.err")"
    done_testing
fi

is "libcurl's call goes to the host and port of the record" "$(run curl -sS "http://one/x?echo=request" | tr -d '\r' | grep -E '^(GET|Host)' | tr '\n' ' ')" \
    "GET /x?echo=request HTTP/1.1 Host: a.internal:$port "
is "and any other program's" "$(run wget -q -t 1 -O - "http://db:5432/x?text=found")" "found"
before=$(asked _http._tcp.one.internal)
run curl -sS "http://one/1" "http://one/2" "http://one/3" >/dev/null
is "an answer is kept for its time" "$(($(asked _http._tcp.one.internal) - before))" 1
is "the lowest priority comes first" "$(for _ in 1 2 3 4; do run curl -sS "http://order/x?echo=request"; done | grep -c "^Host: a.internal:$first")" 4
command curl -s "http://$control/zero" >/dev/null
cat >"$folder/many.py" <<'PY'
import urllib.request
for _ in range(200): urllib.request.urlopen('http://weighed/x').read()
PY
mapfile -t urls < <(seq -f 'http://weighed/%g' 200)
run curl -sS "${urls[@]}" >/dev/null
share=$(ask total)
at_least "the weights share the calls, three to one: of two hundred" "$share" 25
at_most "and no more than that" "$share" 80
command curl -s "http://$control/zero" >/dev/null
run /usr/bin/python3 "$folder/many.py"
share=$(ask total)
at_least "likewise those of another program" "$share" 25
at_most "and no more" "$share" 80
run curl -sS "http://gone/" >/dev/null 2>&1
is "a record that says there is no such service: not found" "$?" 6
is "without records it is the domain itself, at the port that was asked for" "$(run curl -sS "http://bare:$port/x?echo=request" | tr -d '\r' | grep '^Host')" "Host: bare.internal:$port"

dns "--srv-host=_http._tcp.order.internal,b.internal,$port,20,0" "--srv-host=_http._tcp.order.internal,a.internal,$shut,10,0"
rm -f "$GUSSET_STATE"
is "an address that refuses: the next in the order" "$(run curl -sS "http://order/x?echo=request" | tr -d '\r' | grep '^Host')" "Host: b.internal:$port"

# A record that lives for a second, and moves.
dns "--srv-host=_http._tcp.one.internal,a.internal,$first" --local-ttl=1
cat >"$folder/move.py" <<'PY'
import sys, time, urllib.request
for line in sys.stdin:
    print(urllib.request.urlopen('http://one/x?echo=request').status, flush=True)
PY
command curl -s "http://$control/zero" >/dev/null
mkfifo "$folder/ask"
run /usr/bin/python3 "$folder/move.py" <"$folder/ask" >"$folder/moved" 2>&1 &
program=$!
exec 7>"$folder/ask"
said() { for _ in $(seq 250); do [ "$(wc -l <"$folder/moved")" -ge "$1" ] && return; sleep 0.02; done; }
echo go >&7
said 1
is "before it moves" "$(ask total) $(tail -n 1 "$folder/moved")" "0 200"
: >"$folder/dns.log"
dns "--srv-host=_http._tcp.one.internal,b.internal,$port" --local-ttl=1
sleep 1.2 # its time
echo go >&7
said 2
is "a record that has moved is followed when its time is over" "$(ask total) $(tail -n 1 "$folder/moved")" "1 200"
kill "$dns_pid"
wait "$dns_pid" 2>/dev/null
dns_pid=
exec 7>&-
wait "$program"

: >"$folder/dns.log"
dns "${records[@]}"
config "$folder/health.cfg" <<<'services = ( { name = "order"; url = "srv:_http._tcp.order.internal"; health = "/health"; } );'
exits "health checks go to what the DNS names" 0 gusset health --config "$folder/health.cfg"
is "to each of the addresses" "$(grep -cE "^order +[ab]\.internal:($first|$port) +HEALTHY" <<<"$out")" 2

# Who watches goes where the DNS leads by now; the agent, without waiting for it.
. "$(dirname "$0")/agents.sh"
config "$folder/moving.cfg" <<'CFG'
services = ( { name = "one"; url = "srv:_http._tcp.one.internal"; health: { path = "/health"; interval = "1s"; }; } );
CFG
dns "--srv-host=_http._tcp.one.internal,a.internal,$first" --local-ttl=1
GUSSET_STATE=$folder/agent-state start_agent agent.log --config "$folder/moving.cfg" --listen 0
gusset health --config "$folder/moving.cfg" --watch 0.3 --look >"$folder/watched" &
watcher=$!
servers+=("$watcher")
ok "the agent finds what the DNS names" until_true has "$folder/agent.log" "event=health .*address=a\.internal:$first state=HEALTHY"
ok "so does health --watch" until_true has "$folder/watched" "^one +a\.internal:$first +HEALTHY"
dns "--srv-host=_http._tcp.one.internal,b.internal,$port" --local-ttl=1
ok "where it has moved the agent goes there" until_true has "$folder/agent.log" "event=health .*address=b\.internal:$port state=HEALTHY"
ok "so does health --watch" until_true has "$folder/watched" "^one +b\.internal:$port +HEALTHY"
kill "$watcher"
{
    echo 'services = ('
    for name in $(seq 8); do echo "$([ "$name" = 1 ] || echo ,) { name = \"s$name\"; url = \"srv:_http._tcp.s$name.internal\"; health = \"/\"; }"; done
    echo ');'
} >"$folder/silent.cfg"
kill -STOP "$dns_pid"
cat "$folder/silent.cfg" >"$folder/moving.cfg"
kill -HUP "$agent"
ok "a DNS that is silent" until_true has "$folder/agent.log" 'event=reloaded'
is "keeps nobody waiting for the agent" "$(curl -s -m 5 -o /dev/null -w '%{http_code}' "${url}health")" 200 # each of the eight would take two seconds
end_agent
is "nor does it keep the agent" $? 0
kill -CONT "$dns_pid"

done_testing
