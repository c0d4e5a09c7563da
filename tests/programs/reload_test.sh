#!/bin/bash
# What holds changes while a program runs: a changed file, `gusset reload`, on, off and mode, for all and for a host.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
config=$XDG_CONFIG_HOME/gusset/gusset.cfg
mkdir -p "${config%/*}"

# configure ATTEMPTS [LINE]: in one step, as an editor does
configure() {
    printf 'version = 1;\n%s\npolicies: { mine: { retry: { attempts = %s; backoff: { base = "1ms"; }; }; %s }; };\nhosts = ( { match = "127.0.0.1"; policy = "mine"; } );\n' \
        "${2-}" "$1" "${3-}" >"$config.new"
    mv "$config.new" "$config"
}

if ! /usr/bin/python3 -c "import pycurl" 2>/dev/null; then
    skip "rules change in a running program" "python3-pycurl is not installed"
    done_testing
fi

# A program that runs on: a line in is a URL, a line out its status. "forget": it clears its environment.
cat >"$folder/asks.py" <<'P'
import os, pycurl, sys
easy = pycurl.Curl()
easy.setopt(pycurl.WRITEFUNCTION, lambda data: None)
for line in sys.stdin:
    if line == "forget\n":
        os.environ.clear()
        print("forgotten", flush=True)
        continue
    try:
        easy.setopt(pycurl.URL, line.strip())
        easy.perform()
        print(easy.getinfo(pycurl.RESPONSE_CODE), flush=True)
    except pycurl.error as error:
        print("error", error.args[0], flush=True)
P
configure 2
export GUSSET_CONFIG=$config
coproc program { gusset run -- /usr/bin/python3 "$folder/asks.py" 2>"$folder/err"; }
get() {
    local line
    echo "$url/$1" >&"${program[1]}"
    read -r -t 10 line <&"${program[0]}"
    echo "$line"
}
# tries: how many requests the server sees of one call that fails
tries() {
    local key=$RANDOM$RANDOM
    get "?status=503&key=$key" >/dev/null
    ask "count?key=$key"
}
# soon NAME WANTED: within a second or so (the machine may be busy: two)
soon() {
    local got
    for _ in $(seq 20); do
        got=$(tries)
        [ "$got" != "$2" ] || break
        sleep 0.1
    done
    is "$1" "$got" "$2"
}

is "the program begins with the file as it was" "$(tries)" 2
configure 4
soon "a changed file holds within a second" 4
echo 'version = 1; hosts = (((' >"$config"
sleep 1.2
is "a faulty one changes nothing" "$(tries)" 4
is "and the program is not told" "$(cat "$folder/err")" ""
configure 3
gusset reload >/dev/null
is "after gusset reload the next call is under the new rules" "$(tries)" 3
is "a URL that was asked before is under them, too" "$(tries)" 3
gusset off >/dev/null
is "off acts on the next call" "$(tries)" 1
gusset on >/dev/null
is "and on takes it back" "$(tries)" 3
gusset mode shadow >/dev/null
is "so does mode" "$(tries)" 1
ok "status tells of it" grep -q shadow <(gusset status)
gusset mode configured >/dev/null
gusset mode off --host "127.0.0.1:$port" >/dev/null
is "a host can be switched off by itself" "$(tries)" 1
is "and status tells of it" "$(gusset status --json "127.0.0.1:$port" | grep -o '"mode":"off"' | uniq) $(gusset status | grep -o 'switched: off' | uniq) $(gusset status "127.0.0.1:$port" | grep -o '^  mode .*' | uniq)" \
    '"mode":"off" switched: off   mode      off, by `gusset mode --host`'
fits "as its schema says" status "$(gusset status --json)"
gusset mode configured --host "127.0.0.1:$port" >/dev/null
gusset off --host 127.0.0.1 >/dev/null
is "with all of its ports" "$(tries)" 1
gusset off --host other.example >/dev/null
gusset on --host 127.0.0.1 >/dev/null
is "and on again, while another one is off" "$(tries)" 3
ok "a mode that is none is refused" test "$(gusset mode loud >/dev/null 2>&1 || echo $?)" = 2

# Rules that are large are not compiled by the program, but taken when somebody has.
{
    configure 5
    for i in $(seq 400); do echo "# some words that fill the file, line $i, so that no program compiles it"; done >>"$config"
}
sleep 1.2
is "a large file is not compiled by the program" "$(tries)" 3
gusset reload >/dev/null
soon "but taken once it has been" 5
echo forget >&"${program[1]}"
read -r -t 10 _ <&"${program[0]}"
configure 2
gusset reload >/dev/null
is "a program that has cleared its environment follows the file that it was started with" "$(tries)" 2
eval "exec ${program[1]}>&-"
wait "$program_PID" 2>/dev/null

# Connects follow, too: they compile nothing, and take what curl has compiled.
cat >"$folder/connects.py" <<'P'
import socket, sys
for line in sys.stdin:
    try:
        socket.create_connection(("127.0.0.1", int(line)), 5).close()
        print("connected", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
P
configure 1 "" "breaker: { consecutive = 1; errno = \"ETIMEDOUT\"; open = \"60s\"; };"
coproc program { gusset run -- /usr/bin/python3 "$folder/connects.py"; }
knock() {
    local line
    echo 1 >&"${program[1]}"
    read -r -t 10 line <&"${program[0]}"
    echo "$line"
}
knock >/dev/null
is "a circuit refuses connects with the errno that the file says" "$(knock)" "Connection timed out"
configure 1 "" "breaker: { consecutive = 1; errno = \"EHOSTUNREACH\"; open = \"60s\"; };"
gusset reload >/dev/null
is "and with another one after a reload" "$(knock)" "No route to host"
configure 1 "" "breaker: { consecutive = 1; errno = \"ETIMEDOUT\"; open = \"60s\"; };"
LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/"
is "and with what a program that starts has compiled" "$(knock)" "Connection timed out"
configure 1 "" "breaker: { consecutive = 1; errno = \"EHOSTUNREACH\"; open = \"60s\"; };"
gusset run -- true
is "and with what gusset run has" "$(knock)" "No route to host"
configure 1 "" "breaker: { consecutive = 1; errno = \"ETIMEDOUT\"; open = \"60s\"; };"
gusset simulate --scenario outage --duration 2s "$url" >/dev/null
is "or another verb" "$(knock)" "Connection timed out"
eval "exec ${program[1]}>&-"
wait "$program_PID" 2>/dev/null

# What a program held of rules that have gone goes, those of services too.
service="services = ( { name = \"users\"; url = \"$url\"; } );"
change() { # change TIMES
    for attempts in $(seq "$1"); do
        configure "$attempts" "$service"
        gusset reload >/dev/null
        get "" >/dev/null
    done
}
maps() { wc -l <"/proc/$program_PID/maps"; }
configure 2 "$service"
coproc program { exec gusset run -- /usr/bin/python3 "$folder/asks.py" 2>"$folder/err"; }
change 4
before=$(maps)
change 10
at_least "a program has mappings" "$before" 50
at_most "of which ten changes of a file with a service leave none behind" $(($(maps) - before)) 4
eval "exec ${program[1]}>&-"
wait "$program_PID" 2>/dev/null

configure 2
gusset reload >/dev/null
at_most "nor do changes while vfork children leave their connects behind" \
    "$(LD_PRELOAD=$BUILD/libgusset.so "$BUILD/clients/vforked" "$port" 12 "echo '# another line' >>$config; gusset reload >$folder/reloaded")" 2

# 8 threads and 4 processes at work while the file changes all the time.
:
printf ok >"$folder/body"
rss() { awk '/^VmRSS/ {print $2}' "/proc/$1/status" 2>/dev/null || echo 0; }
pids=()
for _ in 1 2 3 4; do
    gusset run -- "$BUILD/clients/threads" "$url/" 2 12000 "$folder/body" >>"$folder/threads" 2>&1 &
    pids+=($!)
done
changes=0
while kill -0 "${pids[0]}" 2>/dev/null && [ $changes -lt 400 ]; do
    configure $((changes % 5 + 1)) "mode = \"$([ $((changes % 3)) = 0 ] && echo shadow || echo enforce)\";"
    changes=$((changes + 1))
    [ $((changes % 10)) != 0 ] || gusset reload >/dev/null
    [ $changes != 20 ] || early=$(rss "${pids[1]}")
    late=$(rss "${pids[1]}")
    [ "${late:-0}" -gt 0 ] && last=$late
    sleep 0.02
done
failures=0
for pid in "${pids[@]}"; do wait "$pid" || failures=$((failures + 1)); done
is "threads and processes run through ${changes} changes without a failure" "$failures" 0
at_least "in which the file changed often" "$changes" 40
[ -z "${early-}" ] || at_most "and no memory is lost (KiB more)" $((${last-0} - early)) 2048
done_testing
