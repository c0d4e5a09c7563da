#!/bin/bash
# gusset doctor on real programs of every kind: what it says beforehand is what gusset then sees.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")

# says NAME STATUS PATTERN ARGUMENT...: the exit status, and a line that the pattern matches (extended)
says() {
    local name=$1 status=$2 pattern=$3 got
    shift 3
    gusset doctor "$@" >"$folder/out" 2>&1
    got=$?
    if [ "$got" = "$status" ] && grep -Eq "$pattern" "$folder/out"; then
        pass "$name"
    else
        fail "$name" "status $got, wanted $status; no line like: $pattern" "$(cat "$folder/out")"
    fi
}
# level WAY: of the last doctor with --json
level() { grep -o "\"$1\":{\"level\":\"[^\"]*" "$folder/out" | sed 's/.*"//'; }
has() { command -v "$1" >/dev/null || [ -e "$1" ] || { skip "$1" "it is not installed" && return 1; }; }

says "curl: the easy interface is seen" "$(gusset doctor curl >/dev/null; echo $?)" '^easy +seen +curl calls libcurl\.so' curl
says "curl as JSON" "$(gusset doctor curl >/dev/null; echo $?)" '^\{"path":"/[^"]*/curl","binary":.*"wrapped":true,"libcurl":"libcurl\.so' curl --json
is "curl as JSON: the level of easy" "$(level easy)" seen
config "$folder/some.cfg" <<'CFG'
version = 1;
hosts = ( { match = "db.internal:5432"; policy = "database"; }, { match = "10.0.0.0/8"; policy = "quick"; programs = ["psql"]; },
          { match = "off.example"; policy = "quick"; mode = "off"; } );
CFG
# shellcheck disable=SC2317 # called by way of says
GUSSET_CONFIG=$folder/some.cfg says "curl: the hosts that are protected are named, and not those of other programs" 0 \
    '^- rules mean db\.internal:5432; ' curl
GUSSET_CONFIG=$folder/none.cfg says "curl: a configuration that is not there protects nobody" 0 'no rule means any host' curl
# The multi interface: what is said must be what the library exports.
wanted=missed
! readelf --dyn-syms -W "$BUILD/libgusset.so" | grep -q ' curl_multi_perform@' || wanted=seen
if has /usr/lib/git-core/git-remote-http; then
    gusset doctor --json /usr/lib/git-core/git-remote-http >"$folder/out"
    is "git-remote-http: the multi interface is judged by what the library stands in front of" "$(level multi)" $wanted
fi
if has chronyd; then
    says "chronyd: it confines itself, and what follows" 0 'chronyd confines it by seccomp: what it calls after that is left alone' "$(command -v chronyd)"
fi
if has php; then
    says "php: libcurl may come with an extension" 0 '^easy +if it comes .*bound deeply' "$(command -v php)"
    extension=$(php -r 'echo ini_get("extension_dir");')/curl.so
    ! [ -e "$extension" ] || says "PHP's extension: easy is seen" "$(gusset doctor "$extension" >/dev/null; echo $?)" '^easy +seen +curl\.so calls' "$extension"
fi
if has busybox; then
    says "a static program: nothing, and why" 2 'busybox is statically linked' busybox
fi
if has fzf; then
    says "a Go program: nothing, and why" 2 'Go makes its system calls without libc' fzf
fi
if has musl-gcc; then
    cat >"$folder/main.c" <<'C'
#include <netinet/in.h>
int main(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = 0x0100, .sin_addr.s_addr = 0x0100007f};
    return connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof to) ? 7 : 0;
}
C
    musl-gcc -o "$folder/musl" "$folder/main.c" && says "a program for musl: its connects" 0 '^connect +seen +musl calls it' "$folder/musl"
    rm -f "$GUSSET_STATE"
    gusset run --policy database --set retry.attempts=1 -- "$folder/musl" >"$folder/out" 2>&1
    is "and they are seen" "$? $(counted calls) $(cat "$folder/out")" "7 1 "
fi
if [ "$(id -u)" = 0 ] && has sudo && has setpriv; then
    chmod 755 "$folder"
    cp "$BUILD/gusset" "$BUILD/libgusset.so" "$folder/"
    setpriv --reuid 65534 --clear-groups "$folder/gusset" doctor sudo >"$folder/out" 2>&1
    is "a setuid program, asked by another user: nothing" "$? $(grep -c 'is setuid' "$folder/out")" "2 1"
    cp "$(command -v curl)" "$folder/capable"
    if setcap cap_net_raw+ep "$folder/capable" 2>/dev/null; then
        setpriv --reuid 65534 --clear-groups "$folder/gusset" doctor "$folder/capable" >"$folder/out" 2>&1
        is "a program with file capabilities: nothing" "$? $(grep -c 'given capabilities by its file' "$folder/out")" "2 1"
    else
        skip "file capabilities" "setcap does not work here"
    fi
else
    skip "a setuid program" "this needs root, sudo and setpriv"
fi
cargo=
for candidate in "$(getent passwd "$(id -u)" | cut -d : -f 6)"/.rustup/toolchains/*/bin/cargo; do
    [ -x "$candidate" ] && ! ldd "$candidate" | grep -q libcurl && cargo=$candidate
done
if [ -n "$cargo" ]; then
    says "cargo, which has a libcurl of its own: connect only" 1 '^connect +seen +cargo' "$cargo"
    ok "cargo: and says so" grep -q 'a libcurl of its own is linked in' "$folder/out"
else
    skip "cargo" "there is none with a libcurl of its own"
fi
if echo 'int curl_easy_perform(void *); int main(void) { return curl_easy_perform(0); }' |
    cc -x c - -x none -o "$folder/own" "$(dirname "$(cc -print-file-name=libcurl.so)")/libcurl.a" \
        -Wl,--unresolved-symbols=ignore-all -lc 2>/dev/null; then
    says "a program with libcurl.a linked in: connect only" 1 '^easy +missed +a libcurl is linked into' "$folder/own"
else
    skip "a program with libcurl.a linked in" "there is no libcurl.a"
fi
cc -o "$folder/idle" -x c - <<<'int main(void) { return 0; }'
says "a program that calls nothing" 2 'nothing to harden in it' "$folder/idle"
ok "may still start others that do" grep -q 'programs that it starts are wrapped with it' "$folder/out"
is "as JSON: result none, though it would be wrapped" \
    "$(gusset doctor --json "$folder/idle" | grep -o '"result":"none","wrapped":true')" '"result":"none","wrapped":true'
if echo 'int ares_library_init(int); int connect(int, const void *, unsigned); int main(void) { return ares_library_init(0) + connect(0, 0, 0); }' |
    cc -x c - -o "$folder/cares" -lcares 2>/dev/null; then
    says "a program with its own resolver: rules by address" 1 '^connect +partly .*libcares' "$folder/cares"
else
    skip "a program with its own resolver" "libc-ares-dev is not installed"
fi
printf '#!/bin/sh\nexec curl "$@"\n' >"$folder/script"
chmod +x "$folder/script"
says "a script: its interpreter is judged" "$(gusset doctor /bin/sh >/dev/null; echo $?)" 'it is a script: what was looked at is .*sh' "$folder/script"
printf '#!/usr/bin/env busybox sh\n' >"$folder/static"
chmod +x "$folder/static"
! has busybox || says "a script of a static interpreter" 2 'statically linked' "$folder/static"
# What begins like the name of libcurl, or of libc, is neither.
if has g++ && g++ -o "$folder/plus" -x c++ - -lcurlpp -lcurl 2>"$folder/why" <<'CC'; then
#include <curlpp/Easy.hpp>
#include <curlpp/Options.hpp>
int main(int, char **argv) { curlpp::Easy easy; easy.setOpt(curlpp::options::Url(argv[1])); easy.perform(); }
CC
    says "a program in C++ on curlpp: easy is seen" "$(gusset doctor curl >/dev/null; echo $?)" \
        '^easy +seen +libcurlpp\.so\.[0-9.]+ calls libcurl\.so' "$folder/plus"
else
    skip "a program on curlpp" "$(head -n 1 "$folder/why")"
fi
cc -shared -fPIC -o "$folder/libc-client.so" -x c - <<<'int connect(int, const void *, unsigned); int mail(void) { return connect(0, 0, 0); }'
says "a library that is called like libc: its connect is seen" 0 '^connect +seen +libc-client.so calls it' "$folder/libc-client.so"

# ---- running processes ----

start_upstream
begin() { # begin COMMAND...: sets pid to a process that waits for a reply
    "$@" >/dev/null 2>&1 &
    pid=$!
    servers+=("$pid")
    for _ in $(seq 100); do
        grep -q libcurl "/proc/$pid/maps" 2>/dev/null && break
        sleep 0.02
    done
    sleep 0.1
}
begin gusset run --policy standard -- curl -s "http://127.0.0.1:$port/?stall=headers&for=20000"
says "a running process under gusset: easy is seen" "$(gusset doctor curl >/dev/null; echo $?)" '^easy +seen +curl calls' "$pid"
ok "and what comes next" grep -q 'next: `gusset status`' "$folder/out"
begin curl -s "http://127.0.0.1:$port/?stall=headers&for=20000"
says "a running process without it: nothing, and what to do" 2 'was started without gusset.*restart it' "$pid"
begin env LD_PRELOAD="$BUILD/libgusset.so" GUSSET_MODE=off curl -s "http://127.0.0.1:$port/?stall=headers&for=20000"
says "a running process where gusset is off" "$(gusset doctor curl >/dev/null; echo $?)" 'GUSSET_MODE=off' "$pid"
begin env GUSSET_STATE="$folder/elsewhere" gusset run --policy standard -- curl -s "http://127.0.0.1:$port/?stall=headers&for=20000"
for _ in $(seq 200); do grep -q ' rw-s .*/' "/proc/$pid/maps" 2>/dev/null && [ -e "$folder/elsewhere" ] && break || sleep 0.05; done
says "a running process with another state: which, for the verbs that take one" "$(gusset doctor curl >/dev/null; echo $?)" \
    "^- its state is $folder/elsewhere: .* by --state" "$pid"
GUSSET_STATE=$folder/elsewhere gusset doctor "$pid" >"$folder/out"
is_silent "and with the one that holds here: nothing" "$(cat "$folder/out")" 'its state is'
cp "$(command -v curl)" "$folder/replaced"
begin gusset run --policy standard -- "$folder/replaced" -s "http://127.0.0.1:$port/?stall=headers&for=20000"
rm "$folder/replaced"
says "a running process whose program was replaced: it is said that this cannot be seen" \
    "$(gusset doctor "$pid" >/dev/null; echo $?)" '^- .*/replaced has been removed or replaced since' "$pid"
cp "$BUILD/libgusset.so" "$folder/libgusset.so"
begin env LD_PRELOAD="$folder/libgusset.so" curl -s "http://127.0.0.1:$port/?stall=headers&for=20000"
rm "$folder/libgusset.so" # an upgrade of gusset itself, which doctor took for calls that cannot be seen
says "a running process whose libgusset.so was replaced goes on with it" "$(gusset doctor curl >/dev/null; echo $?)" \
    '^- its libgusset.so has been removed or replaced since it began: it goes on' "$pid"
is_silent "and its calls are seen" "$(cat "$folder/out")" 'cannot be seen'
if printf '.globl _start\n_start: movl $29, %%eax\nint $0x80\njmp _start\n' | as --32 -o "$folder/narrow.o" - 2>/dev/null &&
    ld -m elf_i386 -o "$folder/narrow" "$folder/narrow.o" 2>/dev/null; then
    "$folder/narrow" &
    pid=$!
    servers+=("$pid")
    sleep 0.1
    if kill -0 "$pid" 2>/dev/null; then
        says "a running 32-bit process is not taken for a privileged one" 2 'was started without gusset' "$pid"
    else
        skip "a running 32-bit process" "this kernel runs none"
    fi
else
    skip "a running 32-bit process" "the assembler makes none"
fi
says "a process that is not there" 125 'no such process|somebody else' 4194303

# ---- misuse ----

says "a program that is not there" 125 'not found; check the spelling' no-such-program
says "no program" 125 'no program is given'
printf '\177ELF\002\001\001' >"$folder/cut"
chmod +x "$folder/cut"
says "a file that is cut off is judged without a crash" 2 '' "$folder/cut"
head -c 5000 "$(command -v curl)" >"$folder/cut"
gusset doctor "$folder/cut" >/dev/null 2>&1
ok "likewise further on" test $? -le 2

# Files that mean to keep their reader busy: tables without an end, a size beyond all measure.
for damage in symbols chain needed sparse; do
    python3 "$here/doctor/hostile.py" "$damage" "$folder/hostile"
    timeout 60 "$BUILD/gusset" doctor "$folder/hostile" >/dev/null 2>&1
    ok "a hostile file ($damage) is judged in bounded time" test $? -le 2
done
says "a number that is no process" 125 'not found; check the spelling' 4294967297

done_testing
