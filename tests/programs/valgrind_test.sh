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

done_testing
