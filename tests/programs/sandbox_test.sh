#!/bin/bash
# Programs that confine themselves by seccomp are killed by a system call that they do not make themselves: from then on gusset
# leaves them alone, whatever the rules say, be it ready by then or not.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
python=/usr/bin/python3
start_upstream
config "$folder/all.cfg" <<'CFG'
version = 1;
policies: { p: { timeout: { connect = "5s"; }; retry: { attempts = 2; backoff: { base = "5ms"; }; }; breaker: { consecutive = 100; }; bulkhead: { calls = 50; };
                 headers = ( { name = "X-Added"; value = "by gusset"; } ); }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG
config "$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG
gusset run --config "$folder/all.cfg" -- true
gusset run --config "$folder/other.cfg" -- true

# ---- a client that allows itself nothing but what it does ----
client=$BUILD/clients/sandboxed
for way in prctl thread; do
    for before in fresh used; do
        wanted=$(timeout 20 "$client" $way $before "$port")
        for rules in all other; do
            got=$(GUSSET_CONFIG=$folder/$rules.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$client" $way $before "$port" 2>&1; echo "exit $?")
            is "a strict filter by $way, gusset $before, rules for $rules" "$got" "$wanted
exit 0"
        done
    done
done
is "what is pending then is given back its own limit" \
    "$(GUSSET_CONFIG=$folder/all.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$client" pending fresh "$port" 2>&1)" "limit 0"
is "so it is in the strict mode, which has no filter" \
    "$(GUSSET_CONFIG=$folder/all.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$client" strict fresh "$port" 2>&1)" "strict
limit 0"
is "other threads may be anywhere in a connect just then" \
    "$(GUSSET_CONFIG=$folder/other.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$client" race fresh "$port" 2>&1)" "0 died"
ok "a handle that a rule dressed goes on" env "GUSSET_CONFIG=$folder/all.cfg" "LD_PRELOAD=$BUILD/libgusset.so" timeout 20 "$client" curl fresh "$port"
is "undressed" "$(ask 'heads?key=handle' | grep -c '^X-Added: ') of $(ask 'heads?key=handle' | grep -c '^GET ')" "2 of 3"
rm -f "$GUSSET_STATE"
GUSSET_CONFIG=$folder/all.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$client" refused fresh "$port" >/dev/null 2>&1
is "a filter that the kernel does not take, and a question whether it would, end nothing" "$(counted calls)" 2

# ---- chronyd: libseccomp, then a socket is connected to its server ----
if ! command -v chronyd >/dev/null; then
    skip "chronyd in its sandbox" "it is not installed"
elif [ "$(id -u)" != 0 ]; then
    skip "chronyd in its sandbox" "it wants to be started by root"
else
    cat >"$folder/listen.py" <<'PY'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
s.settimeout(20)
print(len(s.recv(999)), flush=True)
PY
    # asks COMMAND...: what a time server sees of chronyd, and whether it lives on
    asks() {
        : >"$folder/heard"
        "$python" "$folder/listen.py" >"$folder/heard" 2>/dev/null &
        local server=$!
        until [ -s "$folder/heard" ]; do sleep 0.02; done
        "$@" chronyd -F 1 -d -x -u root "server 127.0.0.1 port $(head -n 1 "$folder/heard") iburst" 'cmdport 0' "pidfile $folder/chronyd.pid" 'bindcmdaddress /' >"$folder/chronyd.log" 2>&1 &
        local clock=$!
        wait $server
        echo "$(tail -n +2 "$folder/heard") $(kill -0 $clock 2>/dev/null && echo lives || echo dead)"
        kill $clock 2>/dev/null
        wait $clock 2>/dev/null
    }
    if [ "$(asks env)" = "48 lives" ]; then
        for rules in all other; do
            is "chronyd in its sandbox, rules for $rules" "$(asks env "GUSSET_CONFIG=$folder/$rules.cfg" "LD_PRELOAD=$BUILD/libgusset.so")" "48 lives"
        done
    else
        skip "chronyd in its sandbox" "bare it does not run here: $(tail -n 1 "$folder/chronyd.log")"
    fi
fi

done_testing
