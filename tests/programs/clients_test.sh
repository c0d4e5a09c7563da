#!/bin/bash
# The clients that people have, each with its own way of finding out how a connect ended: what they say is what they say
# bare, how it ended is counted rightly for each, and in a network that drops everything each ends with its own error
# after the rule's time, no event loop being held up. Needs a network of its own.
if [ -z "${GUSSET_OWN_NETWORK:-}" ]; then
    if unshare -rnm true 2>/dev/null; then
        GUSSET_OWN_NETWORK=yes exec unshare -rnm bash "$0" "$@"
    fi
    echo "ok 0 # SKIP every client: this machine does not allow a network namespace (unshare -rnm)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
. "$(dirname "$0")/lib.sh"
asks=$(dirname "$(realpath "$0")")/clients
ip link set lo up
ip route add 10.9.9.0/24 dev lo # what goes there comes back, is for nobody here, and is dropped without a word

# ---- the clients: NAME, then the command, HOST and PORT standing for themselves ----
names=() commands=()
client() { # NAME PROGRAM COMMAND...
    if ! command -v "$2" >/dev/null; then
        skip "$1" "$2 is not installed"
        return
    fi
    names+=("$1")
    commands+=("${*:3}")
}
client psql psql "PGSSLMODE=disable PGGSSENCMODE=disable PGPASSWORD=x psql -h HOST -p PORT -U x x -c 'select 1'"
client redis-cli redis-cli "redis-cli -h HOST -p PORT ping"
client mysql mysql "mysql --connect-timeout=30 -h HOST -P PORT -u x x"
client psycopg2 python3 "/usr/bin/python3 -c 'import psycopg2; psycopg2.connect(\"host=HOST port=PORT user=x\")'"
client php php "php '$asks/ask.php' stream HOST PORT"
for way in sockets pgsql mysqli; do # extensions, which PHP binds deeply
    if php -r "exit(extension_loaded('$way') ? 0 : 1);" 2>/dev/null; then
        client "php-$way" php "php '$asks/ask.php' $way HOST PORT"
    else
        skip "php-$way" "the extension is not installed"
    fi
done
for way in blocking timeout asyncio; do client "python-$way" python3 "/usr/bin/python3 '$asks/ask.py' $way HOST PORT"; done
client node node "node '$asks/ask.js' HOST PORT"
for way in plain timeout http; do client "ruby-$way" ruby "ruby '$asks/ask.rb' $way HOST PORT"; done
for way in plain timeout; do client "perl-$way" perl "perl '$asks/ask.pl' $way HOST PORT"; done
client nc nc.openbsd "nc.openbsd -w 30 HOST PORT </dev/null"
client ncat ncat "ncat -w 30 HOST PORT </dev/null"
client bash bash "exec 3<>/dev/tcp/HOST/PORT"
client wget wget "wget -q -t 1 -T 30 -O /dev/null http://HOST:PORT/"
client ssh ssh "ssh -F none -o StrictHostKeyChecking=no -p PORT x@HOST true"
client ssh-timeout ssh "ssh -F none -o ConnectTimeout=30 -o StrictHostKeyChecking=no -p PORT x@HOST true"
if command -v javac >/dev/null && command -v java >/dev/null; then
    JAVA_TOOL_OPTIONS='' javac -d "$folder" "$asks/Ask.java" 2>/dev/null
    for way in plain timeout selector; do client "java-$way" java "java -Xshare:auto -XX:TieredStopAtLevel=1 -cp '$folder' Ask $way HOST PORT"; done
else
    skip "java" "a Java compiler is not installed"
fi
client rust-like "$BUILD/clients/sockets" "'$BUILD/clients/sockets' rust HOST PORT"

# one KIND INDEX COMMAND...: runs a client, tells what it said without its times, and how long it took
one() {
    local into=$folder/$1.${names[$2]} began ended
    shift 2
    began=$(date +%s%3N)
    timeout 20 "$@" >"$into" 2>&1 </dev/null
    echo "exit $?" >>"$into"
    ended=$(date +%s%3N)
    sed -n 's/^took //p' "$into" >"$into.took"
    [ -s "$into.took" ] || echo $((ended - began)) >"$into.took"
    sed -n 's/^gap //p' "$into" >"$into.gap"
    sed -i '/^took /d; /^gap /d; s/[0-9]* ms:/ms:/' "$into"
}
# all KIND HOST FIRST-PORT [gusset]: every client at once, each with a port of its own
all() {
    local i line pids=()
    for i in "${!names[@]}"; do
        line=${commands[$i]//HOST/$2}
        line=${line//PORT/$(($3 + i))}
        if [ "${4:-}" ]; then
            one "$1" "$i" gusset run --config "$folder/rule.cfg" -- bash -c "$line" &
        else
            one "$1" "$i" bash -c "$line" &
        fi
        pids+=($!)
    done
    wait "${pids[@]}"
}
# spent INDEX: how long its slowest connect took, as gusset saw it, in milliseconds; a bucket wide
spent() { gusset status --json "10.9.9.2:$((22000 + $1))" | sed -n 's/.*"p99_ms":\([0-9]*\)\..*/\1/p'; }
# host INDEX FIRST-PORT HOST COUNTER: what was counted for the host of a client
host() { gusset status --json "$3:$(($2 + $1))" | grep -o "\"$4\":[0-9]*" | head -n 1 | cut -d: -f2 | grep . || echo 0; }

config "$folder/rule.cfg" <<'CFG'
version = 1;
policies: { p: { timeout: { connect = "3s"; total = "20s"; }; breaker: { consecutive = 100; }; }; };
hosts = ( { match = "127.0.0.0/8"; policy = "p"; }, { match = "10.0.0.0/8"; policy = "p"; } );
CFG
gusset run --config "$folder/rule.cfg" -- true

# Two addresses of one name, of which the first leads nowhere.
printf '10.9.9.3 both.test\n127.0.0.1 both.test\n127.0.0.1 localhost\n' >"$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts

# ---- all together: a server that answers, a port that is closed, a network that drops ----
ports=$(seq 20000 $((20000 + 2 * ${#names[@]} - 1)))
/usr/bin/python3 "$asks/serve.py" $ports >"$folder/serving" &
servers+=($!)
for _ in $(seq 200); do
    grep -qs ready "$folder/serving" && break
    sleep 0.02
done
count=${#names[@]}
all fine.bare 127.0.0.1 20000
all fine 127.0.0.1 $((20000 + count)) yes
all shut.bare 127.0.0.1 21000
all shut 127.0.0.1 21000 yes
patience=$(cat /proc/sys/net/ipv4/tcp_syn_retries)
echo 1 >/proc/sys/net/ipv4/tcp_syn_retries # bare, and soon over: their own error for comparison
echo 0 2>/dev/null >/proc/sys/net/ipv4/tcp_syn_linear_timeouts
all hole.bare 10.9.9.2 22000
echo "$patience" >/proc/sys/net/ipv4/tcp_syn_retries
all hole 10.9.9.2 22000 yes
gusset run --config "$folder/rule.cfg" -- /usr/bin/python3 "$asks/ask.py" giveup=0.3 10.9.9.2 23000 >/dev/null
gusset run --config "$folder/rule.cfg" -- /usr/bin/python3 "$asks/ask.py" giveup=1.5 10.9.9.2 23001 >/dev/null
is "given up young, as the losers of happy eyeballs are: no failure" "$(host 0 23000 10.9.9.2 calls) $(host 0 23000 10.9.9.2 failures)" "1 0"
eyeballs() { # PORT: opens two connections, the second a quarter of a second after the first, and keeps the one that stands
    gusset run --config "$folder/rule.cfg" -- /usr/bin/python3 -c "
import asyncio, socket
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda *all, **named: sorted(look_up(*all, **named), key=lambda found: not found[4][0].startswith('10.'))
async def main():
    _, writer = await asyncio.open_connection('both.test', $1, happy_eyeballs_delay=0.25, interleave=0)
    print(writer.get_extra_info('peername')[0])
    writer.close()
asyncio.run(main())" 2>&1
}
is "happy eyeballs, for real: the address that answers wins" "$(eyeballs 20000)" 127.0.0.1
is "both are counted, and the loser is no failure" \
    "$(host 0 20000 10.9.9.3 calls) $(host 0 20000 10.9.9.3 failures), $(($(host 0 20000 127.0.0.1 calls) > 0)) $(host 0 20000 127.0.0.1 failures)" "1 0, 1 0"
is "given up after a second: one" "$(host 1 23000 10.9.9.2 calls) $(host 1 23000 10.9.9.2 failures)" "1 1"

punctual=0
for i in "${!names[@]}"; do [ "$(spent "$i")" -gt 3300 ] || punctual=$((punctual + 1)); done
at_least "in a network that drops, of ten clients nine end within a tenth of the rule's time" $((10 * punctual / count)) 9
for i in "${!names[@]}"; do
    name=${names[$i]}
    plain() { sed "s/$(($1 + i))/PORT/g" "$2"; }
    is "$name: a server that answers: as bare" "$(plain $((20000 + count)) "$folder/fine.$name")" "$(plain 20000 "$folder/fine.bare.$name")"
    is "$name: and is counted as well" "$(host "$i" $((20000 + count)) 127.0.0.1 failures) of $(($(host "$i" $((20000 + count)) 127.0.0.1 calls) > 0))" "0 of 1"
    is "$name: a closed port: as bare" "$(plain 21000 "$folder/shut.$name")" "$(plain 21000 "$folder/shut.bare.$name")"
    calls=$(host "$i" 21000 127.0.0.1 calls)
    is "$name: and each is counted as a failure" "$(host "$i" 21000 127.0.0.1 failures) $((calls > 0))" "$calls 1"
    is "$name: a network that drops: ends with its own error" "$(cat "$folder/hole.$name")" "$(cat "$folder/hole.bare.$name")"
    calls=$(host "$i" 22000 10.9.9.2 calls) # redis-cli tries twice
    at_least "$name: after the rule's time" "$(spent "$i")" 2700
    at_most "$name: and not later" "$(spent "$i")" 4000 # 10 %, and a busy machine: twenty-five of them at once, beside other suites
    at_least "$name: so it says itself" "$(cat "$folder/hole.$name.took")" 2700
    is "$name: each is counted as a failure" "$(host "$i" 22000 10.9.9.2 failures)" "$calls"
    [ -s "$folder/hole.$name.gap" ] && at_most "$name: its event loop was never held up" "$(cat "$folder/hole.$name.gap")" 1000
done

done_testing
