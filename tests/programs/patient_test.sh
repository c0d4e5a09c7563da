#!/bin/bash
# Programs that set TCP_USER_TIMEOUT themselves find it as they set it, though a rule's limit on connecting is kept by it.
. "$(dirname "$0")/lib.sh"
client=$BUILD/clients/patient
python=/usr/bin/python3
start_upstream
config "$folder/rule.cfg" <<'CFG'
version = 1;
policies: { p: { timeout: { connect = "20s"; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; } );
CFG
export GUSSET_CONFIG=$folder/rule.cfg
gusset run -- true
wrapped() { LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$@"; }
# Without the blank at the end of a line.
told() { "$@" | sed 's/ *$//'; }

while read -r way name; do
    is "$name" "$(told wrapped "$client" "$way" "$port")" "$(told "$client" "$way" "$port")"
done <<'WAYS'
none a program that sets none has none
late one that sets its first when others are connected
before-dup one that sets it, and connects by another descriptor
after-dup one that sets it by another descriptor
before-fork one whose child connects
after-fork one whose child sets it
in-thread one whose thread sets it
again one that sets it on a connection, and connects it anew
unblocked one whose socket does not block
shorter one that waits for less than the rule does is not made to wait
WAYS
is "the gate has seen them" "$([ "$(counted calls)" -ge 30 ] && echo yes)" yes

if [ -x "$python" ]; then
    is "python" "$(wrapped "$python" -c "
import socket
said = []
for own in (0, 70000, 70000):
    s = socket.socket()
    if own:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, own)
    s.connect(('127.0.0.1', $port))
    said.append(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
print(said)")" "[0, 70000, 70000]"
else
    skip "python" "it is not installed"
fi

# What it costs: a socket is asked what it has only where the program has ever set one.
asked() {
    strace -f -o "$folder/strace" -e trace=getsockopt,setsockopt -E LD_PRELOAD="$BUILD/libgusset.so" "$client" "$1" "$port" >"$folder/said" 2>&1
    grep -c "$2(.*TCP_USER_TIMEOUT" "$folder/strace"
}
if command -v strace >/dev/null; then
    is "a connect sets the limit and puts it back" "$(asked none setsockopt)" 6
    is "and asks nothing: the three questions are the program's" "$(asked none getsockopt)" 3
    is "but where the program has set one" "$(asked unblocked getsockopt)" 9
else
    skip "a connect sets the limit and puts it back" "strace is not installed"
fi
done_testing
