#!/bin/bash
# The operator's desk: figures for collectors, what is drawn on a terminal, completions. Calls go to port 1 of this
# machine, where nobody listens; scrapes are real ones.
# shellcheck disable=SC2154 # folder, out and err are lib.sh's
. "$(dirname "$0")/lib.sh"
quick=(gusset run --policy quick --set retry.backoff.base=1ms)

# promtool_is_content NAME TEXT
promtool_is_content() {
    if ! command -v promtool >/dev/null; then
        skip "$1" "promtool is not installed"
    else
        is "$1" "$(promtool check metrics <<<"$2" 2>&1)" ""
    fi
}

# ---- metrics ----
exits "metrics before any call are fine" 0 gusset metrics
says "and say that there is no state" "$out" '^gusset_state_exists 0$'
promtool_is_content "as promtool wants it" "$out"
for _ in 1 2 3; do "${quick[@]}" -- curl -s http://127.0.0.1:1/some/path?token=hidden; done
"${quick[@]}" --shadow -- curl -s http://127.0.0.1:2/
exits "metrics are told" 0 gusset metrics
at='host="127\.0\.0\.1:1",policy="quick",mode="enforce"'
says "calls, by host, policy and mode" "$out" "^gusset_calls_total\\{$at\\} 3$"
says "resends" "$out" "^gusset_retries_total\\{$at\\} 2$"
says "errors by their type" "$out" "^gusset_errors_total\\{$at,error_type=\"connect\"\\} 5$"
says "the circuit" "$out" "^gusset_circuit_state\\{$at,state=\"open\"\\} 1$"
says "and when it will probe" "$out" "^gusset_circuit_probe_in_seconds\\{$at\\} [0-4]\\."
says "durations, in OpenTelemetry's buckets" "$out" "^gusset_call_duration_seconds_bucket\\{$at,le=\"0.075\"\\} "
is "fourteen of them and the last" "$(grep -c "duration_seconds_bucket{.*:1\"" <<<"$out")" 15
says "counted once each" "$out" "^gusset_call_duration_seconds_count\\{$at\\} 3$"
says "shadow apart" "$out" 'gusset_would_retry_total\{host="127.0.0.1:2",policy="quick",mode="shadow"\} 1'
is_silent "neither path nor query" "$out" 'path|hidden'
promtool_is_content "promtool is content" "$out"
gusset trip odd.example:80 --policy quick >/dev/null
says "an open circuit that no time closes" "$(gusset metrics)" 'probe_in_seconds\{host="odd.example:80".* \+Inf$'
exits "metrics --json" 0 gusset metrics --json
is_json "is JSON" "$out"
is "with the same figures" "$(field "$out" '[s["value"] for m in d["metrics"] if m["name"] == "gusset_calls_total" for s in m["samples"] if s["labels"]["mode"] == "enforce"]')" "[3, 0]"

echo old >"$folder/gusset.prom"
ln "$folder/gusset.prom" "$folder/second"
exits "metrics --textfile" 0 gusset metrics --textfile "$folder/gusset.prom"
is "prints nothing" "$out$err" ""
says "writes the file" "$(cat "$folder/gusset.prom")" '^gusset_calls_total'
is "as a whole: who has the old one open reads on in it" "$(cat "$folder/second")" old
is "for the collector to read" "$(stat -c %a "$folder/gusset.prom")" 644
is "and leaves nothing beside it" "$(find "$folder" -name 'gusset.prom?*' | wc -l)" 0
exits "metrics --textfile where no file can be" 1 gusset metrics --textfile /proc/none/gusset.prom
says "tells the reason" "$err" 'No such file.*nothing was changed'
exits "metrics to two places is misuse" 2 gusset metrics --textfile a --listen 1
for where in nowhere:1 127.0.0.1:x 70000 '[::1' 300.1.1.1:80; do
    exits "--listen $where is refused" 1 gusset metrics --listen "$where"
done

# ---- metrics, served ----
gusset metrics --listen 0 >"$folder/served" &
server=$!
servers+=($server)
for _ in $(seq 100); do [ -s "$folder/served" ] && break || sleep 0.05; done
url=$(cat "$folder/served") where=${url#http://} where=${where%/metrics}
says "the address is printed once it listens, on loopback" "$url" '^http://127\.0\.0\.1:[0-9]+/metrics$'
exits "a scrape by curl" 0 curl -sSi "$url"
says "is answered" "$out" '^HTTP/1.1 200 OK'
says "with Prometheus' type" "$out" '^Content-Type: text/plain; version=0.0.4'
says "and the figures" "$out" "^gusset_calls_total\\{$at\\} 3"
"${quick[@]}" -- curl -s http://127.0.0.1:1/
says "the next scrape sees what came since" "$(curl -s "$url?x=1")" "^gusset_calls_total\\{$at\\} 4"
is "HEAD has no body" "$(curl -sI "$url" | sed '1,/^\r$/d' | wc -c)" 0
is "another path is not found" "$(curl -s -o /dev/null -w '%{http_code}' "http://$where/other")" 404
is "/ points to the page" "$(curl -s "http://$where/")" "gusset: GET /metrics"
is "another method is not allowed" "$(curl -s -o /dev/null -w '%{http_code}' -d x=1 "$url")" 405
# raw REQUEST: the first line of the answer
raw() {
    exec 3<>"/dev/tcp/${where%:*}/${where#*:}"
    printf "$@" >&3
    head -n 1 <&3 | tr -d '\r'
    exec 3>&-
}
is "what is no request is refused" "$(raw 'hello\r\n\r\n')" "HTTP/1.1 400 Bad Request"
is "a request without a host, too" "$(raw 'GET /metrics HTTP/1.1\r\n\r\n')" "HTTP/1.1 400 Bad Request"
is "HTTP/1.0 needs none" "$(raw 'GET /metrics HTTP/1.0\r\n\r\n')" "HTTP/1.1 200 OK"
is "another version" "$(raw 'GET /metrics HTTP/2.0\r\nHost: a\r\n\r\n')" "HTTP/1.1 505 HTTP Version Not Supported"
is "a head without end" "$(raw 'GET /metrics HTTP/1.1\r\nHost: a\r\nX: %09000d' 0)" "HTTP/1.1 431 Request Header Fields Too Large"
exec 4<>"/dev/tcp/${where%:*}/${where#*:}" # who says nothing holds up nobody
printf 'GET /metr' >&4
says "scrapes go on beside one that hangs" "$(curl -sS -m 2 "$url")" "^gusset_calls_total"
exec 5<>"/dev/tcp/${where%:*}/${where#*:}"
exec 4>&- 5>&-
rm -f "$GUSSET_STATE"
says "a state that goes is told of" "$(curl -s "$url")" '^gusset_state_exists 0$'
kill -TERM $server
wait $server
is "SIGTERM ends it well" $? 0
servers=()

done_testing
