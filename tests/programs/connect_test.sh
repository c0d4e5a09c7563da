#!/bin/bash
# The door of connect(2), with a real Redis that refuses, and one circuit for all programs of a user and of several.
# Databases that start late: databases_test.sh.
# alone
. "$(dirname "$0")/lib.sh"
shut=$((24000 + $$ % 4000)) # nobody listens there
python=/usr/bin/python3

config "$folder/patient.cfg" <<'CFG'
version = 1;
policies: {
  patient: { timeout: { connect = "5s"; total = "60s"; }; retry: { attempts = 100; backoff: { base = "200ms"; cap = "400ms"; jitter = "none"; }; wait = "20s"; }; };
};
hosts = ( { match = "*"; policy = "patient"; }, { match = "unix:/tmp/gusset-late.sock"; policy = "patient"; } );
CFG
patient() { timeout 40 gusset run --config "$folder/patient.cfg" -- "$@"; }

# ---- a unix socket that comes late ----
sock=/tmp/gusset-late.sock
rm -f "$sock"
("$python" - "$sock" <<'PY' &
import socket, sys, time
time.sleep(0.5)
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
s.settimeout(10)
s.accept()[0].sendall(b"late\n")
PY
)
is "a unix socket that is not there yet is tried again" "$(patient "$python" -c "import socket; s = socket.socket(socket.AF_UNIX); s.connect('$sock'); print(s.recv(9).decode().strip())" 2>&1)" late
rm -f "$sock"

# ---- how long a socket that does not block may be held, and a server that is slow to take connections ----
config "$folder/bound.cfg" <<'CFG'
version = 1;
policies: { held: { retry: { attempts = 100; backoff: { base = "50ms"; jitter = "none"; factor = 1.0; }; wait = "600ms"; }; };
            free: { retry: { attempts = 100; backoff: { base = "50ms"; jitter = "none"; factor = 1.0; }; }; };
            limited: { timeout: { connect = "20s"; }; }; };
hosts = ( { match = "127.0.0.5"; policy = "held"; }, { match = "127.0.0.6"; policy = "free"; }, { match = "127.0.0.7"; policy = "limited"; } );
CFG
bound() { timeout 20 gusset run --config "$folder/bound.cfg" -- "$python" -c "$1" 2>&1; }
knock="
import errno, select, socket, time
s = socket.socket()
s.setblocking(False)
began = time.monotonic()
error = s.connect_ex(('HOST', $shut))
took = time.monotonic() - began
if error == errno.EINPROGRESS:
    select.select([], [s], [], 5)
    error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
print(errno.errorcode[error], int(took * 1000))"
said=$(bound "${knock//HOST/127.0.0.5}")
is "retry.wait: in the end it is told the error that it knows" "${said% *}" ECONNREFUSED
at_least "retry.wait: it is held while there is time" "${said#* }" 400
at_most "retry.wait: and no longer" "${said#* }" 2000
at_least "retry.wait: it was tried again" "$(gusset status --json "127.0.0.5:$shut" | grep -o '"attempts":[0-9]*' | head -n 1 | cut -d: -f2)" 5
said=$(bound "${knock//HOST/127.0.0.6}")
is "without it: the same error" "${said% *}" ECONNREFUSED
is "without it: one try" "$(gusset status --json "127.0.0.6:$shut" | grep -o '"attempts":[0-9]*' | head -n 1)" '"attempts":1'
said=$(bound "
import os, socket, threading, time
l = socket.socket()
l.bind(('127.0.0.7', 0))
l.listen(0)
full = []
for _ in range(3): # the queue of those that wait to be taken: what comes then is dropped, and comes again
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(l.getsockname())
    full.append(s)
def take():
    time.sleep(0.5)
    while True: full.append(l.accept()[0])
threading.Thread(target=take, daemon=True).start()
began = time.monotonic()
s = socket.create_connection(l.getsockname())
print(time.monotonic() - began > 0.4, s.getsockopt(socket.IPPROTO_TCP, 18), l.getsockname()[1], flush=True)
os._exit(0) # closed on the way out, those still in the queue would be given up after more than a second: failures")
is "a server that is slow to take connections: it is waited for, and the limit is taken back" "${said% *}" "True 0"
is "and that is no failure" "$(gusset status --json "127.0.0.7:${said##* }" | grep -o '"failures":[0-9]*' | head -n 1)" '"failures":0'

# ---- Redis that refuses ----
config "$folder/strict.cfg" <<'CFG'
version = 1;
policies: { strict: { timeout: { connect = "2s"; }; breaker: { consecutive = 3; open = "60s"; }; };
            brief: { breaker: { consecutive = 2; open = "300ms"; open_cap = "300ms"; }; };
            dull: { breaker: { consecutive = 1; open = "60s"; errno = "EHOSTUNREACH"; }; };
            slow: { breaker: { consecutive = 1; open = "60s"; errno = "ETIMEDOUT"; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "strict"; }, { match = "127.0.0.2"; policy = "dull"; }, { match = "127.0.0.3"; policy = "slow"; },
          { match = "127.0.0.4"; policy = "brief"; }, { match = "localhost"; policy = "strict"; } );
CFG
strict() { timeout 20 gusset run --config "$folder/strict.cfg" -- "$@"; }
if command -v redis-cli >/dev/null && command -v redis-server >/dev/null; then
    rm -f "$GUSSET_STATE"
    redis=$((shut + 2))
    for _ in 1 2 3; do strict redis-cli -p "$redis" ping >/dev/null 2>&1; done
    is "a Redis that refuses opens the circuit" "$(gusset status --json "127.0.0.1:$redis" | grep -o '"circuit":"[a-z ]*"')" '"circuit":"open"'
    hundred() { LD_PRELOAD=$1 GUSSET_CONFIG=$folder/strict.cfg bash -c "for i in \$(seq 100); do redis-cli -p $redis ping; done" 2>&1; }
    began=$(date +%s%3N)
    hundred '' >/dev/null
    bare=$(($(date +%s%3N) - began))
    before=$(counted rejected)
    began=$(date +%s%3N)
    is "then 100 redis-cli are refused with the error that they know" "$(hundred "$BUILD/libgusset.so" | sort | uniq -c | sed 's/^ *//')" \
        "100 Could not connect to Redis at 127.0.0.1:$redis: Connection refused"
    at_most "within five milliseconds of a bare start, each" "$((($(date +%s%3N) - began - bare) / 100))" 5
    is "none of them was tried" "$(gusset status --json "127.0.0.1:$redis" | grep -o '"attempts":[0-9]*' | head -n 1)" '"attempts":3'
    at_least "but counted" "$(($(counted rejected) - before))" 100
    brief() { strict redis-cli -h 127.0.0.4 -p "$redis" ping 2>&1; }
    brief >/dev/null
    brief >/dev/null
    redis-server --port "$redis" --bind 127.0.0.4 --save '' --dir "$folder" >/dev/null 2>&1 &
    servers+=($!)
    for _ in $(seq 100); do
        redis-cli -h 127.0.0.4 -p "$redis" ping >/dev/null 2>&1 && break
        sleep 0.05
    done
    for _ in $(seq 40); do
        said=$(brief)
        [ "$said" = PONG ] && break
        sleep 0.1
    done
    is "a probe finds Redis again" "$said" PONG
    is "and closes the circuit" "$(gusset status --json "127.0.0.4:$redis" | grep -o '"circuit":"[a-z ]*"')" '"circuit":"closed"'
else
    skip "Redis that refuses" "redis-server is not installed"
fi

# ---- the errno of a refusal ----
refused() { # HOST: what the second connect says
    strict bash -c "exec 3<>/dev/tcp/$1/$shut" >/dev/null 2>&1
    strict "$python" -c "
import errno, socket
for way in (True, False):
    s = socket.socket()
    s.setblocking(way)
    print(errno.errorcode[s.connect_ex(('$1', $shut))], end=' ')" 2>&1
}
is "the rule says what a refusal looks like: EHOSTUNREACH" "$(refused 127.0.0.2)" "EHOSTUNREACH EHOSTUNREACH "
is "or ETIMEDOUT" "$(refused 127.0.0.3)" "ETIMEDOUT ETIMEDOUT "
for _ in 1 2 3; do strict bash -c "exec 3<>/dev/tcp/127.0.0.1/$shut" 2>/dev/null; done
is "or else ECONNREFUSED" "$(refused 127.0.0.1)" "ECONNREFUSED ECONNREFUSED "

# ---- one circuit for curl and for connect, for one user and for several ----
rm -f "$GUSSET_STATE"
for _ in 1 2 3; do strict curl -s "http://localhost:$shut/" >/dev/null; done
is "what curl found dead is dead for a connect by the same name" \
    "$(strict "$python" -c "import socket
try: socket.create_connection(('localhost', $shut))
except OSError as e: print(e)" 2>&1; gusset status --json "localhost:$shut" | grep -o '"rejected":[12]' | tr 2 1)" "[Errno 111] Connection refused
\"rejected\":1"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    mkdir "$folder/group" && chgrp 65534 "$folder/group" && chmod 2770 "$folder/group"
    for who in 0 65533; do
        sed "s|^version = 1;|version = 1; state: { path = \"$folder/group/state\"; };|" "$folder/strict.cfg" >"$folder/group.$who.cfg"
        chown $who "$folder/group.$who.cfg" && chmod 644 "$folder/group.$who.cfg"
    done
    chmod 755 "$folder"
    open=(bash -c "exec 3<>/dev/tcp/127.0.0.1/$shut")
    (
        unset GUSSET_STATE
        for _ in 1 2 3; do timeout 9 gusset run --config "$folder/group.0.cfg" -- "${open[@]}" 2>/dev/null; done
        chgrp 65534 "$folder/group/state" && chmod 660 "$folder/group/state"
        HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent GUSSET_CONFIG=$folder/group.65533.cfg setpriv --reuid=65533 --regid=65534 --clear-groups \
            gusset run -- "${open[@]}" 2>/dev/null
        gusset status --state "$folder/group/state" --json | grep -o '"rejected":[0-9]*' | head -n 1
    ) >"$folder/shared" 2>&1
    is "what one user found dead is dead for another, where they share a state" "$(tail -n 1 "$folder/shared")" '"rejected":1'
else
    skip "users that share a state" "only root can become others"
fi

# ---- what stands under no rule ----
rm -f "$GUSSET_STATE"
for _ in 1 2 3; do strict bash -c "exec 3<>/dev/tcp/127.0.0.9/$shut" 2>/dev/null; done
is "connects outside of any rule are counted" "$(gusset status --json | grep -o '"unprotected":[0-9]*')" '"unprotected":3'
strict "$python" -c "import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('127.0.0.1', $shut))"
is "a datagram's connect is none of gusset's" "$(counted calls)" 0

done_testing
