#!/bin/bash
# Shadow: the server sees the same bytes, the program has the same result, nobody is refused or repeated; but it is counted
# what would have been done, and a circuit that others share is left as it was.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
printf 'hello upload\n' >"$folder/up.txt"
config "$folder/gusset.cfg" <<'CFG'
version = 1;
policies: {
  p: {
    extends = "standard";
    timeout: { attempt = "200ms"; connect = "100ms"; total = "400ms"; };
    retry: { attempts = 4; backoff: { base = "5ms"; }; budget: { ratio = 100; }; methods = ["GET", "PUT", "POST"]; };
    propagate = ["request_id", "tenant_id", "traceparent"];
    headers = ( { name = "X-Key"; value = "v"; override = true; } );
  };
};
hosts = ( { match = "*"; policy = "p"; } );
CFG
export GUSSET_CONFIG=$folder/gusset.cfg
shadowed() { gusset run --shadow --tenant t1 -- "$@"; }
bare() { "$@"; }

differ=0 count=0
for fault in "" "&status=503&first=2" "&reset=headers&first=1" "&fail=30&seed=3" "&status=429&retry_after=1" "&reset=body&body=9000" \
    "&delay=350" "&body=9000&slow=18000&first=1" "&redirect=$url/?key=to" "&auth=1" "&chunked=1&body=3000" "&length=wrong"; do
    for arguments in "-s" "-sS -i" "-s -d a=b" "-s -T $folder/up.txt" "-s -f -L" "-s -I" "-s -H X-Key:mine -w %{http_code}"; do
        for how in bare shadowed; do
            ask zero >/dev/null
            # shellcheck disable=SC2086 # arguments are words
            $how curl $arguments "$url/s?key=s$fault" >"$folder/$how" 2>&1
            echo "exit $?" >>"$folder/$how"
            ask 'heads?key=s' >>"$folder/$how"
            ask 'heads?key=to' >>"$folder/$how"
        done
        count=$((count + 1))
        cmp -s "$folder/bare" "$folder/shadowed" && continue
        differ=$((differ + 1))
        [ "$differ" -gt 3 ] || diff "$folder/bare" "$folder/shadowed" | head -n 5 | sed "s|^|# $fault $arguments: |"
    done
done
is "of $count calls none differs in output, exit code or bytes on the wire" "$differ" 0

forget
for _ in 1 2 3; do shadowed curl -s -o /dev/null "$url/one?status=503"; done
is "each 503 is asked for once" "$(ask 'count?key=/one')" 3
is "and counted as a call that would have been tried again" "$(counted calls) $(counted would_retry) $(counted retries)" "3 3 0"
for _ in $(seq 4); do shadowed curl -s -o /dev/null "$url/one?status=503"; done
is "nobody is refused" "$(ask 'count?key=/one')" 7
is "but it is counted who would have been" "$(counted would_reject) $(counted rejected)" "2 0"
is "the state says that it is shadow" "$(gusset status --json | grep -o '"shadow":[a-z]*')" '"shadow":true'
is "others have a circuit of their own, and it is closed" "$(gusset run -- curl -s "$url/")" ok
gusset events --json -n all >"$folder/events"
ok "events say so too" grep -q '"shadow":true' "$folder/events"
text=$(gusset run --shadow --report -- curl -s "$url/" 2>&1)
ok "the report tells what would have been done" grep -q shadow <<<"$text"

forget
ask down >/dev/null
for _ in $(seq 8); do shadowed curl -s "$url/"; done
is "an outage: what would have been refused is counted" "$(counted would_reject) $(counted rejected)" "3 0"
ask up >/dev/null
is "a connect is let through as well" "$(GUSSET_MODE=shadow gusset run -- bash -c "exec 3<>/dev/tcp/127.0.0.1/$port && echo open" 2>&1)" open

# A POST that was sent would not have been repeated.
forget
shadowed curl -s -o /dev/null -X PATCH "$url/one?status=503"
is "what would not have been repeated is not counted so" "$(counted would_retry)" 0
shadowed curl -s -o /dev/null -X PATCH -H 'Idempotency-Key: 1' "$url/one?status=503"
is "but it is where an Idempotency-Key travels with it" "$(counted would_retry)" 1
forget
ask down >/dev/null
shadowed curl -s -o /dev/null -X PATCH "$url/one"
is "or where it never left the machine" "$(counted would_retry)" 1
forget
ask up >/dev/null
shadowed curl -s -o /dev/null -X PATCH "$url/one?status=503"
shadowed curl -s -m 0.1 -o /dev/null "$url/one?delay=500"
is "nor is the program's own time limit a failure" "$(counted failures)" 1

done_testing
