#!/bin/bash
# Programs with threads under ThreadSanitizer, the library built for it, too: no race while all of them meet failures, wait,
# share what is pooled, and while the rules change under them. Run by `make sanitize`, on that build.
. "$(dirname "$0")/lib.sh"
if ! nm -D "$BUILD/libgusset.so" 2>/dev/null | grep -q __tsan_write8; then
    skip "threads under ThreadSanitizer" "this library is not built for it: make sanitize"
    done_testing
fi
start_upstream
url=http://127.0.0.1:$port
# libcurl is not instrumented: what it does to its own data is its own.
echo 'called_from_lib:libcurl.so.4' >"$folder/suppressions"
export TSAN_OPTIONS="suppressions=$folder/suppressions exitcode=66"
curl -s "$url/x?body=2000" >"$folder/body"
rules() { # rules ATTEMPTS
    config "$folder/gusset.cfg" <<CFG
version = 1;
policies: { p: { extends = "standard"; retry: { attempts = $1; backoff: { base = "2ms"; }; budget: { ratio = 100; }; }; breaker: { consecutive = 1000; };
    propagate = ["request_id", "traceparent"]; }; pooled: { extends = "p"; pool: { }; }; };
hosts = ( { match = "localhost"; policy = "pooled"; }, { match = "*"; policy = "p"; } );
CFG
}
rules 20
# clean NAME WANTED COMMAND...: that is its first line, and nothing was reported
clean() {
    local name=$1 wanted=$2 code
    shift 2
    timeout 120 gusset run --config "$folder/gusset.cfg" -- "$@" >"$folder/out" 2>"$folder/reports"
    code=$?
    is "$name" "$code $(head -n 1 "$folder/out")" "0 $wanted"
    grep -A 12 -m 1 'WARNING: ThreadSanitizer' "$folder/reports" | sed 's/^/#   /'
}

# ---- the tool sees races in a library ----
printf 'int number; void more(void); void more(void) { number++; }' >"$folder/race.c"
printf '#include <pthread.h>\nvoid more(void); static void *run(void *none) { for (int i = 0; i < 1000; i++) more(); return none; }
int main(void) { pthread_t one; pthread_create(&one, 0, run, 0); run(0); return pthread_join(one, 0); }' >"$folder/main.c"
"${CC:-clang}" -g -fsanitize=thread -shared -fPIC -Wl,-z,undefs "$folder/race.c" -o "$folder/race.so"
"${CC:-clang}" -g -fsanitize=thread "$folder/main.c" "$folder/race.so" -o "$folder/race" -pthread
timeout 20 "$folder/race" >/dev/null 2>"$folder/reports"
is "a race in a library is reported" "$? $(grep -c 'data race' "$folder/reports" | sed 's/[1-9][0-9]*/some/')" "66 some"

# ---- gusset ----
clients=$BUILD/clients
good="0 with a wrong body, 0 failed"
clean "8 threads of 200 requests by curl_easy_perform, 30 % fail" "1600 good, $good" \
    "$clients/threads" "$url/t?fail=30&seed=5&how=mixed&body=2000" 8 200 "$folder/body"
for way in poll wait fdset socket; do
    clean "8 threads, each with a loop of its own by $way and 200 requests, 30 % fail" "1600 good, $good, 0 faults" \
        "$clients/many" $way 200 10 "$folder/body" "$url/@?key=$way&body=2000&fail=30&seed=5&how=mixed" threads=8
done
clean "likewise with handles whose options stay" "1600 good, $good, 0 faults" \
    "$clients/many" poll 200 10 "$folder/body" "$url/same?body=2000&fail=10&seed=5" threads=8 same
clean "8 threads of 100 requests over pooled connections" 800 \
    "$clients/pool" threads 8 100 "http://localhost:$port/p?body=2000"
(for attempts in $(seq 21 40); do rules "$attempts"; gusset reload --config "$folder/gusset.cfg" >/dev/null; sleep 0.05; done) &
changes=$!
clean "while the rules change twenty times" "1600 good, $good" \
    "$clients/threads" "$url/c?fail=30&seed=5&how=mixed&body=2000&delay=2" 8 200 "$folder/body"
wait "$changes"
ok "gusset was there, and retried" test "$(counted retries)" -gt 1000

done_testing
