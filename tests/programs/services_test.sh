#!/bin/bash
# Services of the registry: unmodified programs ask for a name that the DNS does not know, and reach where the service runs.
# Through libcurl with the path as prefix and the Host as the rule says, without the program's credentials unless the service
# is to have them, never from https to http; through connect(2) whatever client it is. Of several addresses the next is
# tried where one fails, by all processes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
client=$BUILD/clients/services
asks=$(dirname "$(realpath "$0")")/clients
python=/usr/bin/python3
start_upstream
first=$port first_control=$control
start_upstream
shut=$(free_port)
config "$folder/services.cfg" <<CFG
version = 1;
policies: {
  try: { timeout: { total = "20s"; }; retry: { attempts = 3; backoff: { base = "5ms"; }; budget: { ratio = 100; }; }; };
  keyed: { headers = ( { name = "X-Key"; value = "k"; } ); };
};
services = (
  { name = "users"; url = "\${USERS_PROTOCOL:-http}://\${USERS_HOST:-127.0.0.1}:\${USERS_PORT:-$port}/api/v1"; prefix = true; },
  { name = "plain"; url = "http://127.0.0.1:$port/api/v1"; },
  { name = "asked"; url = "http://127.0.0.1:$port"; host = "asked"; },
  { name = "trusted"; url = "http://127.0.0.1:$port"; credentials = true; },
  { name = "keyed"; url = "http://127.0.0.1:$port"; policy = "keyed"; },
  { name = "two"; urls = ["http://127.0.0.1:$shut", "http://127.0.0.1:$port"]; },
  { name = "pair"; urls = ["http://127.0.0.1:$first", "http://127.0.0.1:$port"]; policy = "try"; },
  { name = "shadowed"; url = "http://127.0.0.1:$port"; },
  { name = "any"; url = "//127.0.0.1"; },
  { name = "db"; url = "tcp://127.0.0.1:$port"; }
);
hosts = ( { match = "shadowed"; mode = "shadow"; policy = "try"; } );
CFG
export GUSSET_CONFIG=$folder/services.cfg
run() { timeout 60 gusset run -- "$@"; }
# heads WORDS: of an echoed request its line and its Host, and the headers that are named
heads() { tr -d '\r' | grep -iE "^(GET|POST|PUT|HEAD|Host:|--${1:+|$1})" | tr '\n' ' ' | sed 's/ $//'; }
here="Host: 127.0.0.1:$port"

# ---- the command ----
is "check counts them" "$(gusset check | grep -o '[0-9]* services')" "10 services"
is "services prints where a service runs, and where that comes from" "$(USERS_HOST=10.0.0.9 gusset services users | sed -n 2p | tr -s ' ' | cut -d' ' -f1-3)" \
    "users address http://10.0.0.9:$port/api/v1"
ok "and which variables the environment sets" grep -q "services.cfg:7, as \${USERS_PROTOCOL.*; from the environment: USERS_HOST$" <(USERS_HOST=10.0.0.9 gusset services users)
is "as JSON" "$(gusset services plain --json | "$python" -c "
import json, sys
service = json.load(sys.stdin)['services'][0]
print(service['name'], service['addresses'][0]['address'], [s['value'] for s in service['settings'] if s['key'] == 'host'])")" \
    "plain http://127.0.0.1:$port/api/v1 ['service']"
gusset services nobody >/dev/null 2>&1
is "a service that is none" "$?" 1
is "explain tells where a call goes" "$(gusset explain http://users/me | grep '^goes to' | cut -d, -f1)" "goes to http://127.0.0.1:$port/api/v1/me"
is "and a connect" "$(gusset explain db:5432 | grep '^goes to' | cut -d, -f1)" "goes to 127.0.0.1:$port"
is "each address" "$(gusset explain http://two/x | grep -cE '^(goes to|or     ) http://127.0.0.1')" 2
is "and where it does not" "$(gusset explain https://plain/ | grep '^not to' | cut -d, -f1)" "not to  http://127.0.0.1:$port/api/v1: https never becomes http"
is "in shadow, what would be" "$(gusset explain http://shadowed/ | grep -o '^would go to http')" "would go to http"

# ---- libcurl ----
is "the path of the address goes before the path that was asked for" \
    "$(run curl -sS "http://users/me?echo=request&key=%20b" | heads)" "GET /api/v1/me?echo=request&key=%20b HTTP/1.1 $here"
is "only where the service says so" "$(run curl -sS "http://plain/me?echo=request" | heads)" "GET /me?echo=request HTTP/1.1 $here"
is "whatever port is asked for, and in capitals" "$(run curl -sS "http://PLAIN:8080?echo=request" | heads)" "GET /?echo=request HTTP/1.1 $here"
is "a URL without a scheme" "$(run curl -sS "plain/me?echo=request" | heads)" "GET /me?echo=request HTTP/1.1 $here"
is "dots in a path go as the program sends them" "$(run curl -sS --path-as-is "http://plain/a/../b?echo=request" | heads)" "GET /a/../b?echo=request HTTP/1.1 $here"
is "an address without a port keeps the one that was asked for" "$(run curl -sS "http://any:$port/?echo=request" | heads)" "GET /?echo=request HTTP/1.1 $here"
is "the Host header is the asked one's where the service says so" "$(run curl -sS "http://asked/me?echo=request" | heads)" "GET /me?echo=request HTTP/1.1 Host: asked"
is "with its port" "$(run curl -sS "http://asked:99/me?echo=request" | heads)" "GET /me?echo=request HTTP/1.1 Host: asked:99"
is "the environment of the process counts" "$(USERS_PORT=$first run curl -sS "http://users/me?echo=request" | heads)" \
    "GET /api/v1/me?echo=request HTTP/1.1 Host: 127.0.0.1:$first"
is "the policy of a service adds its headers" "$(run curl -sS "http://keyed/?echo=request" | heads "X-Key:")" "GET /?echo=request HTTP/1.1 $here X-Key: k"
is "a redirect is followed where the service runs" \
    "$(run curl -sSL "http://users/me?redirect=/there%3Fecho=request" | heads)" "GET /there?echo=request HTTP/1.1 $here"

secrets="Authorization|Cookie|X-Own"
printf 'machine plain login u password p\nmachine 127.0.0.1 login u password p\nmachine trusted login u password p\n' >"$folder/netrc"
printf '# Netscape HTTP Cookie File\nplain\tFALSE\t/\tFALSE\t0\tsecret\tjar\n' >"$folder/jar"
bare="GET /?echo=request HTTP/1.1 $here"
is "user and password stay here" "$(run curl -sS -u u:p "http://plain/?echo=request" | heads "$secrets")" "$bare"
is "those in the URL" "$(run curl -sS "http://u:p@plain/?echo=request" | heads "$secrets")" "$bare"
is "those of a netrc" "$(run curl -sS --netrc-file "$folder/netrc" "http://plain/?echo=request" | heads "$secrets")" "$bare"
is "a token" "$(run curl -sS --oauth2-bearer t "http://plain/?echo=request" | heads "$secrets")" "$bare"
is "a signature" "$(run curl -sS --aws-sigv4 aws:amz:eu:s3 -u u:p "http://plain/?echo=request" | heads "$secrets")" "$bare"
is "the answer to a challenge" "$(run curl -sS --digest -u u:p "http://plain/?echo=request" | heads "$secrets")" "$bare"
is "Authorization and Cookie headers, but no others" \
    "$(run curl -sS -H 'Authorization: Bearer t' -H 'cookie: a=b' -H 'X-Own: 1' "http://plain/?echo=request" | heads "$secrets")" "$bare X-Own: 1"
is "cookies" "$(run curl -sS -b a=b "http://plain/?echo=request" | heads "$secrets")" "$bare"
is "those of a jar" "$(run curl -sS -b "$folder/jar" "http://plain/?echo=request" | heads "$secrets")" "$bare"
is "also behind a redirect" "$(run curl -sSL -u u:p -b a=b -H 'Authorization: x' \
    "http://plain/?redirect=http://localhost:$port/%3Fecho=request" | heads "$secrets")" "GET /?echo=request HTTP/1.1 Host: localhost:$port"
is "a service may have them" "$(run curl -sS -u u:p -b a=b "http://trusted/?echo=request" | heads "$secrets")" "$bare Authorization: Basic dTpw Cookie: a=b"
is "those in the URL, too" "$(run curl -sS "http://u:p@trusted/?echo=request" | heads "$secrets")" "$bare Authorization: Basic dTpw"

# Proxies: one that the environment names is not asked for what runs on this machine, nor for a name that is excepted.
export http_proxy=http://127.0.0.1:$shut
is "a proxy that the environment names is not asked for a service on this machine" "$(run curl -sS "http://plain/?echo=request" | heads)" "$bare"
is "under the asked host neither" "$(run curl -sS "http://asked/?echo=request" | heads)" "GET /?echo=request HTTP/1.1 Host: asked"
is "one that the program names is" "$(run curl -s -x "http://127.0.0.1:$port" "http://plain/?echo=request" | heads)" "GET http://127.0.0.1:$port/?echo=request HTTP/1.1 $here"
is "but not for a name that it excepts" "$(run curl -sS -x "http://127.0.0.1:$shut" --noproxy plain "http://plain/?echo=request" | heads)" "$bare"
is "and the next request of the handle goes by the environment again" \
    "$(run curl -s -o /dev/null -o /dev/null -w '%{http_code} ' "http://plain/?echo=request" "http://127.0.0.1:$port/")" "200 000 "
unset http_proxy
ask zero >/dev/null
run curl -sS "https://plain/" >"$folder/said" 2>&1
is "https never becomes http: the name is not found, nothing is sent" "$? $(ask connections)" "6 0"
if command -v openssl >/dev/null && command -v stunnel >/dev/null && certificate good DNS:secure.test,IP:127.0.0.1 && certificate named DNS:named && start_tls good "$port"; then
    good=$tls
    start_tls named "$port"
    config "$folder/tls.cfg" <<CFG
services = ( { name = "secure"; url = "https://127.0.0.1:$good"; }, { name = "named"; url = "https://127.0.0.1:$tls"; host = "asked"; } );
CFG
    tls_run() { CURL_CA_BUNDLE=$folder/authority.crt timeout 20 gusset run --config "$folder/tls.cfg" -- "$@"; }
    is "https goes to a service's https, under the service's name" "$(tls_run curl -sS "https://secure/x?echo=request" | heads)" "GET /x?echo=request HTTP/1.1 Host: 127.0.0.1:$good"
    is "http becomes https where the service is there" "$(tls_run curl -sS "http://secure/x?echo=request" | heads)" "GET /x?echo=request HTTP/1.1 Host: 127.0.0.1:$good"
    is "or under the asked one" "$(tls_run curl -sS "https://named/x?echo=request" | heads)" "GET /x?echo=request HTTP/1.1 Host: named"
    is "likewise" "$(tls_run curl -sS "http://named:8080/x?echo=request" | heads)" "GET /x?echo=request HTTP/1.1 Host: named"
else
    skip "services behind TLS" "openssl or stunnel4 is not installed"
fi

# ---- the handle stays the program's ----
other="http://127.0.0.1:$port/other?echo=request"
stays() {
    local way=$1 with=${2-}
    run "$client" $way "http://plain/s?echo=request&cookie=served" "$other" >"$folder/said" 2>&1
    "$client" $way "http://127.0.0.1:$port/s?echo=request&cookie=served" "$other" >"$folder/bare" 2>&1
    # what FILE PATH: the requests for it, as they came
    what() { awk -v RS='-- ' -v path="$2" '$0 ~ "GET " path {print}' "$1" | tr -d '\r' | grep -v '^[0-9]* http:'; }
    is "$way$with: what goes elsewhere is as bare" "$(what "$folder/said" /other)" "$(what "$folder/bare" /other)"
    ok "$way$with: and something does" grep -q "GET /other" "$folder/said"
    is "$way$with: the service sees none of the program's credentials" "$(what "$folder/said" /s | grep -ciE 'authorization|own=cookie')" 0
    [ $way = port ] && return # bare it leads nowhere
    is "$way$with: but all of its calls" "$(what "$folder/said" /s | grep -c GET) $(what "$folder/said" /s | grep -c 'X-Own: 1')" \
        "$(what "$folder/bare" /s | grep -c GET) $(what "$folder/bare" /s | grep -c 'X-Own: 1')"
}
for way in again dup reset curlu port multi late jar; do stays $way; done
if backport=$(bash "$(dirname "$0")/loading/backport" "$folder/backport" 2>"$folder/why"); then
    for way in curlu dup; do LD_LIBRARY_PATH=$backport stays $way ", a newer libcurl"; done
else
    skip "a newer libcurl" "$(tail -n 1 "$folder/why")"
fi
is "port: the service's holds" "$(run "$client" port "http://plain/s?echo=request" "$other" | heads | sed 's/ --.*//')" "GET /s?echo=request HTTP/1.1 $here"
is "jar: a cookie that the service has set comes back to it" "$(run "$client" jar "http://plain/s?echo=request&cookie=served" "$other" | grep -c '^Cookie: served=1')" 2
run "$client" lead "http://plain/s?echo=request" "$other" "$first" >"$folder/said"
is "where the program leads its connections itself, it knows better" "$(heads Authorization <"$folder/said" | sed 's/ --.*//')" "GET /s?echo=request HTTP/1.1 Host: plain Authorization: Bearer token"
is "and then no more" "$(grep -c '^GET /s' "$folder/said") $(tr -d '\r' <"$folder/said" | grep -c "^$here")" "2 2"

# ---- the environment, again ----
cat >"$folder/moves.py" <<'PY'
import os, socket, sys
for line in sys.stdin:
    if "=" in line:
        os.environ.update([line.strip().split("=", 1)])
    print(socket.create_connection(("users", 80)).getpeername()[1], flush=True)
PY
mkfifo "$folder/moves"
run "$python" "$folder/moves.py" <"$folder/moves" >"$folder/moved" 2>&1 &
program=$!
exec 7>"$folder/moves"
# goes LINE: where the program's next call goes
goes() {
    local before
    before=$(wc -l <"$folder/moved")
    echo "$1" >&7
    for _ in $(seq 250); do
        [ "$(wc -l <"$folder/moved")" -gt "$before" ] && break
        sleep 0.02
    done
    tail -n 1 "$folder/moved"
}
is "a program asks for a service" "$(goes again)" "$port"
is "what it puts into its environment does not hold as it runs" "$(goes "USERS_PORT=$first")" "$port"
touch "$folder/services.cfg"
gusset reload >/dev/null
is "but from a reload on" "$(goes again)" "$first"
exec 7>&-
wait "$program"

# ---- several addresses ----
forget
is "where one address refuses the next is tried, without any rule" "$(run curl -sS "http://two/?echo=request" | heads)" "$bare"
is "of a POST, too" "$(run curl -sS -d a=b "http://two/?echo=request" | heads)" "POST /?echo=request HTTP/1.1 $here"
is "another process does not ask the one that failed" \
    "$(gusset status --json "127.0.0.1:$shut" | grep -o '"attempts":[0-9]*' | head -n 1)" '"attempts":1'
is "side by side" "$(run curl -sSZ "http://two/a?text=x" "http://two/b?text=x" "http://two/c?text=x" 2>/dev/null | tr '\n' ' ')" "x x x "
rm -f "$GUSSET_STATE"
is "in an event loop" "$(run curl -sSZ "http://two/a?text=x" "http://two/b?text=x" "http://two/c?text=x" 2>/dev/null | tr '\n' ' ')" "x x x "
rm -f "$GUSSET_STATE"
command curl -s "http://$first_control/outage" >/dev/null
before=$(ask total)
is "a try after a failed reply goes to another address" "$(run curl -sS "http://pair/?text=well") $(($(ask total) - before))" "well 1"
command curl -s "http://$first_control/up" "http://$first_control/zero" >/dev/null
run curl -sS "http://pair/?text=x" >/dev/null
is "and the calls that follow go there, too" "$(($(ask total) - before)) $(command curl -s "http://$first_control/total")" "2 0"
is "an address that was tripped by hand is left out" "$(gusset reset >/dev/null; gusset trip "127.0.0.1:$first" >/dev/null; run curl -sS "http://pair/?echo=request" | heads)" "$bare"
gusset reset >/dev/null

# ---- connect(2) ----
connects() { # NAME SAYS COMMAND...
    local name=$1 says=$2
    shift 2
    if ! command -v "$1" >/dev/null; then
        skip "$name reaches a service" "$1 is not installed"
        return
    fi
    is "$name reaches a service" "$(run "$@" 2>&1 </dev/null | tr -d '\r' | grep -o "$says" | head -n 1)" "$says"
}
GET='GET /x?text=found HTTP/1.0'
connects wget found wget -q -t 1 -O - "http://plain/x?text=found"
connects "wget, of which the first address refuses," found wget -q -t 1 -O - "http://two/x?text=found"
rm -f "$GUSSET_STATE"
connects "wget again" found wget -q -t 1 -O - "http://two/x?text=found"
connects php found php -r "echo file_get_contents('http://db:5432/x?text=found');"
connects "php's fsockopen" found php -r "\$s = fsockopen('db', 5432, \$e, \$m, 5); fwrite(\$s, \"$GET\r\n\r\n\"); echo stream_get_contents(\$s);"
connects python found "$python" -c "import urllib.request as u; print(u.urlopen('http://db:5432/x?text=found').read())"
connects "python's http.client with a timeout" found "$python" -c "
import http.client
c = http.client.HTTPConnection('two', 80, timeout=5)
c.request('GET', '/x?text=found'); print(c.getresponse().read())"
rm -f "$GUSSET_STATE"
connects "asyncio, of which the first address refuses," found "$python" -c "
import asyncio
async def main():
    r, w = await asyncio.open_connection('two', 80)
    w.write(b'$GET\r\n\r\n'); print(await r.read())
asyncio.run(main())"
is "getpeername tells the truth" "$(run "$python" -c "import socket; print(socket.create_connection(('db', 5432)).getpeername())")" "('127.0.0.1', $port)"
connects nc found bash -c "printf '$GET\r\n\r\n' | nc -w 5 db 5432"
connects perl found perl -MIO::Socket::INET -e "\$s = IO::Socket::INET->new(PeerAddr => 'db', PeerPort => 5432) or die; print \$s \"$GET\r\n\r\n\"; print <\$s>"
connects bash found bash -c "exec 3<>/dev/tcp/db/5432; printf '$GET\r\n\r\n' >&3; cat <&3"
connects node found node -e "require('http').get('http://db:5432/x?text=found', r => r.on('data', d => console.log(String(d))))"
connects ruby found ruby -rnet/http -e "puts Net::HTTP.get(URI('http://db:5432/x?text=found'))"
for way in gethostbyname gethostbyname2 gethostbyname_r gethostbyname2_r getaddrinfo; do
    is "$way answers for a service" "$(LD_PRELOAD=$BUILD/libgusset.so timeout 10 "$BUILD/clients/sockets" names $way db 5432 2>&1)" "Success"
done
if command -v redis-server >/dev/null && command -v redis-cli >/dev/null; then
    redis=$(free_port)
    redis-server --port "$redis" --bind 127.0.0.1 --save '' --dir "$folder" >/dev/null 2>&1 &
    servers+=($!)
    listens "$redis" $!
    config "$folder/redis.cfg" <<CFG
services = ( { name = "cache"; urls = ["tcp://127.0.0.1:$shut", "tcp://127.0.0.1:$redis"]; } );
CFG
    is "redis-cli, whose socket does not block, finds the second address the second time" \
        "$(for _ in 1 2; do timeout 10 gusset run --config "$folder/redis.cfg" -- redis-cli -h cache ping 2>/dev/null; done | tail -n 1)" PONG
else
    skip "redis-cli reaches a service" "redis is not installed"
fi

# ---- what is not to be ----
unknown() { getent hosts nowhere.invalid >/dev/null && echo 0 || echo 6; }
run curl -sS "http://shadowed/" >/dev/null 2>&1
is "shadow changes nothing: libcurl does not find the name" "$?" 6
is "nor does getaddrinfo" "$(run "$python" -c "
import socket
try: print(socket.getaddrinfo('shadowed', 80))
except socket.gaierror: print('not found')")" "not found"
GUSSET_MODE=off run curl -sS "http://plain/" >/dev/null 2>&1
is "off: not found" "$?" 6
is "a name that is given as an address is none" "$(run "$python" -c "
import socket
try: print(socket.getaddrinfo('db', 80, flags=socket.AI_NUMERICHOST))
except socket.gaierror: print('not found')")" "not found"
is "names that are no services are looked up as ever" "$(run "$python" -c "import socket; print(socket.gethostbyname('localhost'))")" "127.0.0.1"
gusset run -- curl -sS "http://127.0.0.1:$port/x?echo=request" >"$folder/said"
curl -sS "http://127.0.0.1:$port/x?echo=request" >"$folder/bare"
is "a program that asks for no service is as bare" "$(cat "$folder/said")" "$(cat "$folder/bare")"
if command -v valgrind >/dev/null; then
    cat >"$folder/free.py" <<'PY'
import ctypes, sys
libc = ctypes.CDLL(None)
out = ctypes.c_void_p()
for _ in range(20):
    assert libc.getaddrinfo(b"two", b"80", None, ctypes.byref(out)) == 0
    libc.freeaddrinfo(out)
PY
    run valgrind -q --error-exitcode=9 --leak-check=no "$python" "$folder/free.py" >"$folder/said" 2>&1
    is "freeaddrinfo takes the answer of several addresses" "$? $(grep -c Invalid "$folder/said")" "0 0"
else
    skip "freeaddrinfo takes the answer" "valgrind is not installed"
fi
run "$python" -c "
import socket
for _ in range(2000): socket.getaddrinfo('two', 80)
print('well')" >"$folder/said" 2>&1
is "two thousand look-ups" "$(tail -n 1 "$folder/said")" well

done_testing
