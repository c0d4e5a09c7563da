#!/bin/bash
# A configuration that is at fault leaves the program unwrapped: its own output and exit code, and one line on standard error.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
good='version = 1; hosts = ( { match = "*"; policy = "standard"; } );'

# unwrapped NAME: what $folder/gusset.cfg holds is a fault
unwrapped() {
    ask zero >/dev/null
    GUSSET_CONFIG=${2:-$folder/gusset.cfg} LD_PRELOAD=$BUILD/libgusset.so timeout 10 curl -s -w '%{http_code}\n' "$url/f?status=503" "$url/f" \
        >"$folder/out" 2>"$folder/err"
    is "$1: output and exit code are as bare" "$? $(xargs <"$folder/out")" "0 error 503 503 ok 200"
    is "$1: one line is said" "$(wc -l <"$folder/err")" 1
    is "$1: nothing is tried again" "$(ask 'count?key=/f')" 2
    GUSSET_CONFIG=${2:-$folder/gusset.cfg} LD_PRELOAD=$BUILD/libgusset.so timeout 10 bash -c 'exit 42' 2>/dev/null
    is "$1: another program's exit code" "$?" 42
}
fault() {
    config "$folder/gusset.cfg" <<<"$2"
    unwrapped "$1"
}
fault "a syntax error" "$good }"
fault "an unknown key" "$good nonsense = 1;"
fault "an unknown policy" 'version = 1; hosts = ( { match = "*"; policy = "nosuch"; } );'
fault "no unit" 'version = 1; policies: { p: { timeout: { total = "5"; }; }; }; hosts = ( { match = "*"; policy = "p"; } );'
fault "many faults, one line" 'version = 1; a = 1; b = 2; c = 3; hosts = ( { match = "*"; policy = "x"; }, { match = "*"; policy = "y"; } );'
fault "a policy that extends itself" 'version = 1; policies: { p: { extends = "p"; }; }; hosts = ( { match = "*"; policy = "p"; } );'
fault "a ring of policies" 'version = 1; policies: { p: { extends = "q"; }; q: { extends = "p"; }; }; hosts = ( { match = "*"; policy = "p"; } );'
fault "an include of a folder" "$good
@include \"$folder\""
fault "an include of itself" "$good
@include \"$folder/gusset.cfg\""
fault "an include of nothing" "$good
@include \"nosuch.cfg\""
fault "very deep brackets" "a = $(printf '(%.0s' $(seq 5000))"
printf '%s\0' "$good" | config "$folder/gusset.cfg"
unwrapped "a NUL in the file"
head -c 3000 /dev/urandom | config "$folder/gusset.cfg"
unwrapped "random bytes"
head -c 20000000 /dev/zero | tr '\0' ' ' | config "$folder/gusset.cfg"
unwrapped "a very large file"
config "$folder/gusset.cfg" <<<"$good"
chmod 0666 "$folder/gusset.cfg"
unwrapped "a file that all may write"
rm "$folder/gusset.cfg"
unwrapped "a file that is not there"
mkdir "$folder/gusset.cfg"
unwrapped "a folder"
rmdir "$folder/gusset.cfg"
mkfifo "$folder/gusset.cfg"
unwrapped "a fifo"
rm "$folder/gusset.cfg"
if [ "$(id -u)" = 0 ]; then
    config "$folder/gusset.cfg" <<<"$good"
    chown 65534 "$folder/gusset.cfg"
    unwrapped "somebody else's file"
    rm -f "$folder/gusset.cfg"
else
    skip "somebody else's file" "only root can give files away"
fi

config "$folder/gusset.cfg" <<<"$good"
GUSSET_POLICY=nosuch LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/" >"$folder/out" 2>"$folder/err"
is "an unknown GUSSET_POLICY is such a fault, too" "$? $(cat "$folder/out") $(wc -l <"$folder/err")" "0 ok 1"
says "by its name" "$(cat "$folder/err")" 'GUSSET_POLICY: unknown policy .*nosuch'
GUSSET_POLICY=standard GUSSET_SET=nonsense LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/" >"$folder/out" 2>"$folder/err"
is "so is a GUSSET_SET" "$? $(cat "$folder/out") $(wc -l <"$folder/err")" "0 ok 1"
says "by its name, too" "$(cat "$folder/err")" "GUSSET_SET: 'nonsense' has no '='"
GUSSET_CONFIG=$folder/nosuch.cfg LD_PRELOAD=$BUILD/libgusset.so ls "$folder" >/dev/null 2>"$folder/err"
is "a program that calls nobody is told nothing" "$? $(wc -l <"$folder/err")" "0 0"
(exec 2>&-; GUSSET_CONFIG=$folder/nosuch.cfg LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/" >"$folder/out")
is "with standard error closed the program runs as well" "$? $(cat "$folder/out")" "0 ok"
mkfifo "$folder/pipe"
(exec 3<>"$folder/pipe"; head -c 65536 /dev/zero >&3; GUSSET_CONFIG=$folder/nosuch.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 5 curl -s "$url/" >"$folder/out" 2>&3)
is "a full pipe as standard error holds nobody up" "$? $(cat "$folder/out")" "0 ok"

done_testing
