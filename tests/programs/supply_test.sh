#!/bin/bash
# The rules' way into a program: whatever stands in the files, and wherever the program is when it first calls, it
# runs on.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
rules='version = 1;
policies: { p: { extends = "standard"; retry: { attempts = 2; backoff: { base = "2ms"; }; budget: { ratio = 100; }; }; }; };
hosts = ( { match = "*"; policy = "p"; } );'
config "$folder/gusset.cfg" <<<"$rules"
export GUSSET_CONFIG=$folder/gusset.cfg
wrapped() { LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$@"; }

# uncompiled: nobody has called yet
uncompiled() {
    find "$folder" -maxdepth 1 -name "*.rules-*" -delete
    forget
}
compiled() { find "$folder" -maxdepth 1 -name "*.rules-*" | wc -l; }

# ---- a thread with a small stack makes the first call ----
config "$folder/include-0.cfg" <<<"$rules"
for i in 1 2 3 4 5 6 7 8 9; do config "$folder/include-$i.cfg" <<<"@include \"include-$((i - 1)).cfg\""; done
least=16 # what a thread needs bare for such a call, and a page: gusset's own functions take some hundred bytes
until [ "$("$BUILD/clients/narrow" $least "$url/" 2>/dev/null)" = 0 ] || [ $least -ge 40 ]; do least=$((least + 4)); done
least=$((least + 4))
for file in gusset.cfg include-9.cfg; do
    bad=
    for kib in $least $((least + 4)) $((least + 8)) $((least + 12)) $((least + 16)) $((least + 24)) $((least + 32)) $((least + 48)); do
        uncompiled
        got=$(GUSSET_CONFIG=$folder/$file wrapped "$BUILD/clients/narrow" "$kib" "$url/" 2>&1)
        [ "$? $got" = "0 0" ] || bad+=" $kib:$got"
    done
    is "threads of $least KiB of stack and more make the first call, $file" "$bad" ""
done
uncompiled
is "one that is too small to compile in is unprotected, and nothing is said" \
    "$(wrapped "$BUILD/clients/narrow" "$least" "$url/?status=503&first=1" 2>&1) $(compiled)" "22 0"
uncompiled
is "a thread with more compiles" "$(wrapped "$BUILD/clients/narrow" 0 "$url/?status=503&first=1" 2>&1) $(compiled)" "0 1"
forget
is "and what is compiled holds for the smallest, too" "$(wrapped "$BUILD/clients/narrow" "$least" "$url/?status=503&first=1" 2>&1)" 0

# ---- a long chain ----
{
    echo 'version = 1; policies: {'
    for i in $(seq 1000); do echo "p$i: { extends = \"p$((i + 1))\"; };"; done
    echo 'p1001: { extends = "standard"; }; }; hosts = ( { match = "*"; policy = "p1"; } );'
} | config "$folder/chain.cfg"
(ulimit -s 256; GUSSET_CONFIG=$folder/chain.cfg wrapped curl -s "$url/" >"$folder/out" 2>"$folder/err")
is "1,000 policies that extend each other, on a stack of 256 KiB: the program runs on" "$? $(cat "$folder/out") $(wc -l <"$folder/err")" "0 ok 1"

# ---- an image that is cut short while programs have it ----
for change in "truncate -s 100" "cp /dev/null"; do
    uncompiled
    wrapped "$BUILD/clients/callbacks" "$url/?delay=40" repeat=10 >"$folder/got" 2>&1 &
    pid=$!
    until [ "$(ask 'count?key=/')" -ge 3 ]; do sleep 0.01; done
    $change "$(find "$folder" -maxdepth 1 -name "*.rules-*")"
    wait "$pid"
    is "$change of the image of a running program: it runs on" "$? $(grep -c '^result 0 status 200' "$folder/got")" "0 10"
done

done_testing
