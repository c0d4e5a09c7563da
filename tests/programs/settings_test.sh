#!/bin/bash
# One bad value for every key of the configuration: `gusset check` names it by file and line, says what stood there and what was
# expected, and a program under such a file runs as without one. scripts/check-settings sees to it that no key is missing here.
. "$(dirname "$0")/lib.sh"
file=$folder/bad.cfg

# in_groups KEY VALUE: timeout.connect 5 → timeout: { connect = 5; };
in_groups() {
    local key=$1 opened=""
    while [[ $key == *.* ]]; do
        printf '%s: { ' "${key%%.*}"
        opened="$opened };"
        key=${key#*.}
    done
    printf '%s = %s;%s\n' "$key" "$2" "$opened"
}

# write_file PLACE KEY VALUE: the key stands in line 3, but for one of the file, which stands in line 1
write_file() {
    case $1 in
    file) printf '%s\n' "$(in_groups "$2" "$3")" 'hosts = ( { match = "*"; policy = "quick"; } );' ;;
    policy) printf '%s\n' 'policies: {' 'p: {' "$(in_groups "$2" "$3")" '}; };' 'hosts = ( { match = "*"; policy = "p"; } );' ;;
    service) printf '%s\n' 'services = (' '{ name = "s"; url = "http://localhost:1";' "$(in_groups "$2" "$3")" '} );' ;;
    esac | config "$file"
}

count=0 wrong=0
while read -r place key value expected; do
    [ -n "$place" ] || continue
    count=$((count + 1))
    line=3
    [ "$place" != file ] || line=1
    write_file "$place" "$key" "$value"
    got=$(gusset check "$file" 2>&1)
    status=$?
    [ $status = 1 ] && grep -qF -- "$file:$line: $key: found $value, expected " <<<"$got" && grep -q -- "expected .*$expected" <<<"$got" && continue
    wrong=$((wrong + 1))
    echo "# $key = $value: exit $status, $got"
done <<'TABLE'
file version 2 whole number: 1
file mode "loud" enforce, shadow, off
file locked "yes" true or false
file faults 1 true or false
file log.level "chatty" off, error, warn, info, debug
file log.target "log/file" "stderr", "syslog" or an absolute path
file log.format "xml" logfmt, json
file state.path "state" an absolute path
file state.hosts 63 whole number from 64 to
file context.request_id 5 a string
file context.tenant_id true a string
file context.project_id 7 a string
policy timeout.connect 5 duration with a unit
policy timeout.attempt "30" duration with a unit
policy timeout.total "9days" duration with a unit
policy timeout.idle "-1s" duration with a unit
policy timeout.transfer "200h" from 0s to 168h
policy timeout.header "X/Left" a header's name
policy retry.attempts 0 whole number from 1 to 100
policy retry.retries 100 whole number from 0 to 99
policy retry.backoff.base "500" duration with a unit
policy retry.backoff.factor 0.5 decimal number from 1
policy retry.backoff.cap "25h" duration with a unit
policy retry.backoff.jitter "some" none, additive, equal, full, decorrelated
policy retry.backoff.amount 101 percentage from 0 to 100
policy retry.on "5xx" list of error types
policy retry.never "404" list of error types
policy retry.methods "GET" list of HTTP methods
policy retry.retry_after 60 duration with a unit
policy retry.idempotency_key "yes" true or false
policy retry.budget.ratio 120 percentage from 0 to 100
policy retry.budget.floor -1 whole number from 0 to
policy retry.resume 1 true or false
policy retry.wait "2h" from 0s to 1h
policy breaker.consecutive 4001 whole number from 0 to 4000
policy breaker.rate.percent 101 percentage from 0 to 100
policy breaker.rate.minimum 0 whole number from 1
policy breaker.rate.window "1ms" from 100ms to
policy breaker.slow.over 10 duration with a unit
policy breaker.slow.percent 0 percentage from 0.01 to 100
policy breaker.on "connect" list of error types
policy breaker.open "0s" from 1ms to 24h
policy breaker.open_cap "200h" from 1ms to 168h
policy breaker.probes 64 whole number from 1 to 63
policy breaker.reject "429" error, 503, wait
policy breaker.errno "EPERM" ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH
policy breaker.scope "all" policy, host
policy limit.rate 0 whole number from 1 to
policy limit.per "0s" duration with a unit
policy limit.burst 0 whole number from 1 to
policy limit.key 5 a string
policy limit.wait 5 duration with a unit
policy limit.reject "503" error, 429
policy bulkhead.calls 0 whole number from 1 to 10000
policy bulkhead.wait "2h" from 0s to 1h
policy pool.share 1 true or false
policy pool.connections 0 whole number from 1 to 10000
policy pool.keepalive 10001 whole number from 1 to 10000
policy fallback.status 199 whole number from 200 to 599
policy fallback.type 5 a string
policy fallback.body 5 a string
policy fallback.file "body.json" an absolute path
policy fallback.methods "GET" list of HTTP methods
policy hedge.after "p94" or one of p50, p75, p90, p95, p99
policy stale.size "10" size
policy stale.age "0s" from 1s to 168h
policy fault.percent 101 percentage from 0 to 100
policy fault.error "boom" .
policy fault.delay "2h" from 0s to 1h
policy fault.after -1 whole number from 0 to
policy fault.until "soon" time
policy propagate "request_id" list of request_id
service prefix 1 true or false
service credentials "no" true or false
service host "mine" service, asked
service health.path "health" a path such as
service health.type "udp" http, tcp, tls
service health.interval "1ms" from 1s to 24h
service health.timeout 5 duration with a unit
service health.failures 0 whole number from 1 to 1000
TABLE
is "of $count keys each bad value is named by file and line, with what was expected" "$wrong" 0

start_upstream
export GUSSET_CONFIG=$file
is "a program under a file with a fault runs as without one" "$(LD_PRELOAD=$BUILD/libgusset.so curl -s "http://127.0.0.1:$port/" 2>"$folder/err")" ok
is "and one line on standard error says why" "$(grep -c "level=error .*bad.cfg:3: health.failures" "$folder/err") $(wc -l <"$folder/err")" "1 1"
done_testing
