#!/bin/bash
# connect(2) in ways that are legal and rare: what a program sees is what it sees bare, whatever its signals, threads and
# children do, and nothing is left behind on its sockets.
# alone
. "$(dirname "$0")/lib.sh"
client=$BUILD/clients/sockets
asks=$(dirname "$(realpath "$0")")/clients
python=/usr/bin/python3
open=$((24000 + $$ % 4000)) shut=$((28100 + $$ % 4000))
"$python" "$asks/serve.py" "$open" >"$folder/serving" &
servers+=($!)
for _ in $(seq 200); do
    grep -qs ready "$folder/serving" && break
    sleep 0.02
done

config "$folder/rule.cfg" <<'CFG'
version = 1;
policies: { p: { timeout: { connect = "8s"; total = "30s"; }; retry: { attempts = 2; on = ["connect"]; backoff: { base = "10ms"; jitter = "none"; }; }; };
            short: { timeout: { connect = "400ms"; }; };
            held: { retry: { attempts = 2; on = ["connect"]; backoff: { base = "10ms"; jitter = "none"; }; wait = "5s"; }; };
            slow: { retry: { attempts = 2; on = ["connect"]; backoff: { base = "600ms"; jitter = "none"; }; }; };
            single: { timeout: { connect = "8s"; }; bulkhead: { calls = 1; }; };
            brisk: { breaker: { rate: { minimum = 3; }; slow: { over = "500ms"; percent = 50; }; open = "60s"; }; };
            plain: { retry: { attempts = 2; on = ["connect"]; backoff: { base = "10ms"; jitter = "none"; }; }; };
            named: { breaker: { consecutive = 1; open = "60s"; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; }, { match = "127.0.0.2"; policy = "short"; }, { match = "127.0.0.3"; policy = "held"; },
          { match = "127.0.0.4"; policy = "slow"; }, { match = "127.0.0.5"; policy = "plain"; }, { match = "127.0.0.6"; policy = "single"; },
          { match = "127.0.0.7"; policy = "brisk"; }, { match = "127.0.0.77"; policy = "named"; } );
CFG
export GUSSET_CONFIG=$folder/rule.cfg
gusset run -- true
wrapped() { LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$@"; }

# same NAME WORDS...: the client bare and under gusset, both at once, says the same
same() {
    local name=$1
    shift
    timeout 60 "$client" "$@" >"$folder/wanted" 2>/dev/null &
    wrapped "$client" "$@" >"$folder/got" 2>"$folder/got.err"
    echo "exit $?" >>"$folder/got"
    wait $!
    echo "exit $?" >>"$folder/wanted"
    if cmp -s "$folder/wanted" "$folder/got"; then pass "$name"; else fail "$name" "$(diff "$folder/wanted" "$folder/got" | head -n 20)"; fi
}
forgotten() { rm -f "$GUSSET_STATE"; }

same "an address that cannot be read is EFAULT, one of an odd length what the kernel says" fault "$open"
forgotten
same "datagrams, netlink, vsock, MPTCP and abstract names go by" others "$open"
is "and are not counted" "$(counted calls)" "$(counted attempts)"
at_most "but for Fast Open" "$(counted calls)" 1
for host in 127.0.0.1 127.0.0.2 127.0.0.5; do
    forgotten
    same "datagrams go to $host where connections have gone, too" mixed "$host" "$open"
    at_least "the connections are counted" "$(counted attempts)" 15
    at_most "and not the datagrams, or one that took as long as a connection" "$(counted calls)" 20 # a busy machine is slow with some of the 15
done
is "a socket that is connected to itself was refused" "$(wrapped "$client" itself "$((40000 + $$ % 9000))")" "Connection refused"
for host in 127.0.0.1 127.0.0.2; do
    forgotten
    same "nothing is left on a socket of $host that is connected" left "$host" "$open"
    is "each of its nine connects is counted once" "$(counted calls) $(counted failures)" "9 0"
    same "nor on one that is refused" left "$host" "$shut"
done
forgotten
same "a signal handler connects while the program does" handler 127.0.0.1 "$open"
is "and no attempt is lost" "$(counted failures)" 0
same "children of a program whose threads connect" forks 127.0.0.1 "$open"
same "a signal handler that forks, in a program that connects" torn 127.0.0.1 "$open"
forgotten
same "a vfork child closes what its parent waits for" vforks 127.0.0.1 "$open"
is "which is the parent's to judge" "$(counted failures)" 0
same "signals, jumps and cancellation out of a connect that nobody answers" dropped 127.0.0.1
at_least "a signal that restarts does not end the wait" "$(sed -n 's/^took //p' "$folder/got.err")" 1900
wrapped "$client" dropped 127.0.0.2 >"$folder/short" 2>&1
is "a limit below a second outlives signals that restart" "$(sed -n 's/^signals that restart: //p' "$folder/short")" "Connection timed out"
took=$(sed -n 's/^took //p' "$folder/short")
at_least "and ends after its time" "$took" 380
at_most "not later" "$took" 900
forgotten
same "a connection that is reset later, without a question to the socket" reset 127.0.0.1
is "was one all the same" "$(counted calls) $(counted failures)" "3 0"
is "a socket that was held until it was refused says so again" "$(wrapped "$client" held 127.0.0.3 "$shut")" \
    "Connection refused Connection refused Connection refused "
same "a loop that believes epoll and asks nothing, as haproxy, keeps neither a limit nor a place" looped 127.0.0.6 "$open"
forgotten
same "a program that never looks whether it is connected" unasked 127.0.0.7 "$open"
is "was not slow to connect for as long as its connections lived" "$(counted opened) $(counted calls)" "0 4"
same "a descriptor that became another socket's between two tries is left alone" replaced 127.0.0.4 "$shut" 127.0.0.9 "$open"
for log in off debug; do
    forgotten
    GUSSET_LOG=$log same "the first connect in a thread of the smallest stack, log level $log" narrow 127.0.0.1 "$open"
    GUSSET_LOG=$log same "and one that is refused" narrow 127.0.0.1 "$shut"
done
same "a program that closes all descriptors finds none of gusset's" descriptors 127.0.0.1 "$open"

same "a sandbox that allows what a client needs" sandbox 127.0.0.1 "$open"
same "also where no rule means the address" sandbox 127.0.0.9 "$open"

if command -v valgrind >/dev/null; then
    for words in "left 127.0.0.1 $open" "left 127.0.0.1 $shut" "vforks 127.0.0.1 $open"; do
        # shellcheck disable=SC2086 # words of their own
        LD_PRELOAD=$BUILD/libgusset.so timeout 60 valgrind -q --error-exitcode=9 "$client" $words >"$folder/valgrind" 2>&1
        is "valgrind finds nothing: ${words%% *}" "$? $(grep '==' "$folder/valgrind")" "0 "
    done
else
    skip "valgrind finds nothing" "it is not installed"
fi

# ---- no malloc, no lock ----
armed() { timeout 20 env "LD_PRELOAD=$BUILD/libgusset.so" "$BUILD/clients/frugal" "$@" 2>&1; }
is "malloc and locks are armed" "$(timeout 20 "$BUILD/clients/frugal" trap 127.0.0.1 "$open" 2>&1)" "frugal: malloc"
is "a connect needs neither, not even the first" "$(armed connect 127.0.0.1 "$open")" "connected connected"
is "nor one that is refused, and tried again" "$(armed connect 127.0.0.1 "$shut")" "refused refused"
wrapped bash -c "exec 3<>/dev/tcp/127.0.0.77/$shut" 2>/dev/null
is "nor one that the circuit refuses" "$(armed connect 127.0.0.77 "$shut")" "refused refused"
is "nor one without a rule" "$(armed connect 127.0.0.9 "$open")" "connected connected"

# ---- programs that close everything ----
is "python's subprocess" "$(wrapped "$python" -c "import subprocess, socket
s = socket.create_connection(('127.0.0.1', $open))
print(subprocess.run(['echo', 'closed'], close_fds=True, capture_output=True, text=True).stdout.strip())")" closed
if [ "$(id -u)" = 0 ] && command -v sshd >/dev/null && mkdir -p /run/sshd; then
    ssh_port=$((shut + 1))
    ssh-keygen -q -t ed25519 -N '' -f "$folder/key" && cp "$folder/key.pub" "$folder/authorized"
    chmod 755 "$folder"
    printf '%s\n' "Port $ssh_port" "ListenAddress 127.0.0.1" "HostKey $folder/key" "AuthorizedKeysFile $folder/authorized" "StrictModes no" \
        "PidFile none" "UsePAM no" "PermitRootLogin yes" "PasswordAuthentication no" >"$folder/sshd_config"
    LD_PRELOAD=$BUILD/libgusset.so "$(command -v sshd)" -D -f "$folder/sshd_config" -E "$folder/sshd.log" &
    servers+=($!)
    say() { ssh -F none -i "$folder/key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -p "$ssh_port" root@127.0.0.1 echo through; }
    for _ in $(seq 50); do
        [ "$(say 2>/dev/null)" = through ] && break
        sleep 0.1
    done
    is "ssh and sshd" "$(export -f say; export ssh_port folder; wrapped bash -c say 2>&1)" through
else
    skip "ssh and sshd" "openssh-server is not installed, or not root"
fi

# ---- a library whose constructor runs early ----
cat >"$folder/early.c" <<'C'
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void early(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = PORT, .sin_addr.s_addr = 0x0100007f};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int result = connect(fd, (struct sockaddr *)&to, sizeof to);
    char text[32];
    write(1, text, (size_t)snprintf(text, sizeof text, "early %d %d\n", result, close(fd)));
}
C
if cc -shared -fPIC -DPORT="__builtin_bswap16($open)" -o "$folder/early.so" "$folder/early.c" 2>/dev/null; then
    for order in "$folder/early.so:$BUILD/libgusset.so" "$BUILD/libgusset.so:$folder/early.so"; do
        is "a constructor that connects" "$(timeout 10 env "LD_PRELOAD=$order" true)" "early 0 0"
    done
else
    skip "a constructor that connects" "there is no compiler"
fi

# ---- haproxy, whose connections live long ----
if command -v haproxy >/dev/null; then
    cat >"$folder/haproxy.cfg" <<CFG
global
    nbthread 1
defaults
    mode tcp
    timeout connect 20s
    timeout client 60s
    timeout server 60s
listen front
    bind unix@$folder/front.sock
    server back 127.0.0.6:$((open + 1))
CFG
    forgotten
    LD_PRELOAD=$BUILD/libgusset.so haproxy -db -f "$folder/haproxy.cfg" >"$folder/haproxy" 2>&1 &
    servers+=($!)
    # six through it at once, held open; the limit of what it has connected
    is "haproxy holds neither a limit nor a place, however many connections it has" "$(timeout 60 "$python" - "$folder/front.sock" $((open + 1)) <<'PY'
import socket, sys, time
listener = socket.create_server(("127.0.0.6", int(sys.argv[2])))
held, peers = [], []
for number in range(6):
    while True:
        client = socket.socket(socket.AF_UNIX)
        try:
            client.connect(sys.argv[1])
            break
        except OSError:
            time.sleep(0.05)
    client.sendall(b"a")
    listener.settimeout(20)
    peer, _ = listener.accept()
    peer.settimeout(20)
    assert peer.recv(1) == b"a"
    peer.sendall(b"b")
    client.settimeout(20)
    assert client.recv(1) == b"b"
    held.append(client)
    peers.append(peer)
print(len(held))
PY
    )" 6
    is "and is refused none" "$(counted calls) $(counted rejected)" "6 0"
else
    skip "haproxy" "it is not installed"
fi

# ---- another libc ----
cat >"$folder/other.c" <<'C'
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found;
    printf("%d\n", getaddrinfo("localhost", PORT, &hints, &found));
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        printf("%s\n", connect(fd, found->ai_addr, found->ai_addrlen) ? strerror(errno) : "connected");
        close(fd);
    }
    return 0;
}
C
config "$folder/named.cfg" <<'CFG'
version = 1;
hosts = ( { match = "localhost"; policy = "database"; } );
CFG
export GUSSET_CONFIG=$folder/named.cfg
gusset run -- true
if command -v musl-gcc >/dev/null; then
    for at in "$open" "$shut"; do
        musl-gcc -DPORT="\"$at\"" -o "$folder/other" "$folder/other.c"
        forgotten
        is "a program for musl says what it says bare" "$(wrapped "$folder/other" 2>&1; echo $?)" "$("$folder/other"; echo $?)"
        is "and its connects are seen, by the name that it looked up" "$(counted calls) $(gusset status --json "localhost:$at" | grep -c '"attempts"')" "3 1"
    done
else
    skip "a program for musl" "musl-gcc is not installed"
fi

done_testing
