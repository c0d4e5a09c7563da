#!/bin/bash
# Real curl and the clients under memcheck with the library: no error, and no byte lost that bare is not lost.
. "$(dirname "$0")/lib.sh"
if ! command -v valgrind >/dev/null; then
    skip "memcheck finds nothing" "valgrind is not installed"
    done_testing
fi
start_upstream
url=http://127.0.0.1:$port
printf 'hello upload\n' >"$folder/up.txt"
head -c 3000000 /dev/zero >"$folder/big"
curl -s "$url/x?body=2000" >"$folder/body"
config "$folder/gusset.cfg" <<'CFG'
version = 1;
policies: {
  p: {
    extends = "standard";
    retry: { attempts = 4; backoff: { base = "2ms"; }; budget: { ratio = 100; }; methods = ["GET", "PUT", "POST"]; };
    breaker: { consecutive = 4; open = "60s"; };
    propagate = ["request_id", "tenant_id", "traceparent"];
    headers = ( { name = "X-Key"; value = "${HOME}"; override = true; } );
  };
};
hosts = ( { match = "*"; policy = "p"; } );
CFG
export GUSSET_CONFIG=$folder/gusset.cfg

# lost FILE: bytes lost for sure
lost() { sed -n 's/.*definitely lost: \([0-9,]*\) bytes.*/\1/p; s/.*indirectly lost: \([0-9,]*\) bytes.*/\1/p' "$1" | tr -d , | awk '{sum += $1} END {print sum + 0}'; }

# clean NAME COMMAND...
clean() {
    local name=$1 bare
    shift
    forget
    timeout 60 valgrind --quiet -v --leak-check=full --log-file="$folder/bare" "$@" >/dev/null 2>&1
    bare=$(lost "$folder/bare")
    forget
    LD_PRELOAD=$BUILD/libgusset.so timeout 60 valgrind --error-exitcode=99 --log-file="$folder/under" --leak-check=full \
        --errors-for-leak-kinds=none "$@" >/dev/null 2>&1
    if [ $? = 99 ]; then
        fail "$name: no error" "$(grep -A 12 -m 1 -E 'Invalid|uninit|Mismatch|overlap' "$folder/under" | head -n 12 | sed 's/^==[0-9]*==/#/')"
    else
        pass "$name: no error"
    fi
    [ "$(counted attempts)" -gt 1 ] || fail "$name: the library was there"
    at_most "$name: no more lost than bare" "$(lost "$folder/under")" "$bare"
}
clean "curl" curl -s "$url/?status=503&first=1" "$url/?redirect=$url/"
clean "curl, an upload" curl -s -T "$folder/up.txt" -H 'X-Key: mine' "$url/?status=503&first=1&reset=headers"
clean "curl, refused" curl -s "$url/?status=503" "$url/?status=503" "$url/?status=503"
clean "a client with callbacks" "$BUILD/clients/callbacks" "$url/?status=503&first=1&headers=9000" include follow "header=X-Key: a" repeat=3 dup reset
clean "a client that uploads 3 MB" "$BUILD/clients/callbacks" "$url/?status=503&first=1" put="$folder/big"
clean "threads" "$BUILD/clients/threads" "$url/t?body=2000&fail=30&seed=3" 4 10 "$folder/body"
clean "a nested perform" "$BUILD/clients/jump" nest "$url/a?body=100&status=503&first=1" "$url/b?status=503&first=1"
# ---- threads ----
# helgrind knows no C11 atomics, and takes all that gusset publishes by them for a race: of its own code ThreadSanitizer tells
# (races_test). What is left here is what gusset lets threads do to libcurl and libc: no more than they do bare. The rule adds no
# headers: their texts, too, are published by an atomic, and libcurl reads them.
cat >"$folder/own" <<'SUPPRESSION'
{
   what gusset does to its own words
   Helgrind:Race
   obj:*/libgusset.so
}
{
   what libc reads of them for it
   Helgrind:Race
   obj:*/vgpreload_helgrind*
   obj:*/libgusset.so
}
SUPPRESSION
# raced LIBRARY COMMAND...: the functions in which helgrind reports a race, a line each
raced() {
    local library=$1
    shift
    forget
    timeout 120 env LD_PRELOAD="$library" valgrind --tool=helgrind --suppressions="$folder/own" --log-file="$folder/raced" "$@" >"$folder/out" 2>&1
    grep -A 4 -E '^==[0-9]+== (Possible data race|Thread #[0-9]+: |.*lock order)' "$folder/raced" | sed -n 's/.* at 0x[0-9A-F]*: //p' | sort -u
}
# calm NAME COMMAND...
calm() {
    local name=$1 bare under
    shift
    bare=$(raced "" "$@")
    under=$(raced "$BUILD/libgusset.so" "$@")
    is "$name, under helgrind: no race in libcurl that bare has not" "$(comm -13 <(echo "$bare") <(echo "$under"))" ""
    ok "$name: the library was there" test "$(counted calls)" -gt 10
}
config "$folder/gusset.cfg" <<'CFG'
version = 1;
policies: { p: { extends = "standard"; pool: { }; retry: { attempts = 20; backoff: { base = "2ms"; }; budget: { ratio = 100; }; }; breaker: { consecutive = 1000; }; }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG
calm "threads" "$BUILD/clients/threads" "$url/t?body=2000&fail=30&seed=3" 8 10 "$folder/body"
calm "threads with a loop each" "$BUILD/clients/many" poll 20 5 "$folder/body" "$url/t?key=loops&body=2000&fail=20&seed=3" threads=8
calm "threads with pooled connections" "$BUILD/clients/pool" threads 8 10 "$url/t?key=pool&body=2000"

done_testing
