#!/bin/bash
# A secret that a header, a query, a userinfo or a password holds is found in no place that gusset writes to.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
secret=PLANTED
export TOKEN=${secret}1env
echo "${secret}2file" >"$folder/token"
places=$folder/places
mkdir "$places"

for format in logfmt json; do
    config "$folder/$format.cfg" <<CFG
version = 1;
log: { level = "debug"; target = "$places/log.$format"; format = "$format"; };
policies: {
  p: {
    extends = "standard";
    timeout: { attempt = "200ms"; connect = "100ms"; };
    retry: { attempts = 2; backoff: { base = "5ms"; }; };
    breaker: { consecutive = 6; rate: { minimum = 1000; }; open = "200ms"; };
    limit: { rate = 1000; per = "1s"; burst = 1000; };
    propagate = ["request_id", "tenant_id", "project_id", "traceparent"];
    headers = ( { name = "X-Env"; value = "Bearer \${TOKEN}"; },
                { name = "X-File"; value = "\${file:$folder/token}"; override = true; } );
  };
};
hosts = ( { match = "*"; policy = "p"; } );
CFG
done

calls() {
    local query="token=${secret}3query" user="u:${secret}4userinfo" wrapped=("$@")
    ask zero >/dev/null
    for fault in "" "&status=503&first=1" "&status=503" "&status=401" "&reset=headers" "&stall=headers" "&status=429&retry_after=0" \
        "&redirect=$url/%3F$query" ; do
        "${wrapped[@]}" curl -sS -L -o /dev/null -H "Authorization: Bearer ${secret}5header" -H "X-File: ${secret}6own" \
            "http://$user@127.0.0.1:$port/${secret}7path?key=k$fault&text=$query"
        "${wrapped[@]}" curl -sS -o /dev/null -u "me:${secret}8password" -d "body=${secret}9body" -b "c=${secret}10cookie" "$url/?key=k$fault&text=$query"
    done
    "${wrapped[@]}" curl -sS -o /dev/null "http://$user@127.0.0.1:1/?$query"
    "${wrapped[@]}" curl -sS -o /dev/null "http://nosuch.invalid/?$query"
    ask down >/dev/null
    for _ in 1 2 3 4; do "${wrapped[@]}" curl -sS -o /dev/null "http://$user@127.0.0.1:$port/?$query"; done
    ask up >/dev/null
    sleep 0.3
    "${wrapped[@]}" curl -sS -o /dev/null "$url/?$query"
}
for format in logfmt json; do
    GUSSET_CONFIG=$folder/$format.cfg calls gusset run --report --tenant t1 -- >"$places/report.$format" 2>&1
    GUSSET_CONFIG=$folder/$format.cfg calls gusset run --report --json -- >"$places/jsonreport.$format" 2>&1
    for level in error warn info debug; do
        GUSSET_CONFIG=$folder/$format.cfg GUSSET_LOG=$level:stderr calls env LD_PRELOAD="$BUILD/libgusset.so" >"$places/stderr.$format.$level" 2>&1
    done
done
ok "the log was written" test -s "$places/log.logfmt" -a -s "$places/log.json"
ok "and tells of requests, retries and refusals" grep -qE 'event=request' "$places/log.logfmt"
ok "in JSON too" grep -q '"event":"retry"' "$places/log.json"
ok "on standard error" grep -q 'event=rejected' "$places/stderr.logfmt.warn"
ok "the report tells of the host" grep -q "127.0.0.1:$port" "$places/report.logfmt"

export GUSSET_CONFIG=$folder/json.cfg
cp "$GUSSET_STATE" "$places/state"
find "$folder" -maxdepth 1 -name "gusset-$(id -u).rules-*" -exec cp {} "$places" \; 2>/dev/null
{
    gusset events -n all
    gusset events -n all --json
} >"$places/events" 2>&1
{
    gusset status
    gusset status --json
    gusset status "127.0.0.1:$port"
} >"$places/status" 2>&1
asked="http://u:${secret}4userinfo@127.0.0.1:$port/path?token=${secret}3query"
{
    gusset explain "$asked"
    gusset explain --json "$asked"
    gusset explain --policy p
    gusset explain --policy p --json
    gusset check
    gusset check --json
    gusset reload
    gusset trip "127.0.0.1:$port" --for 1s
    gusset reset
} >"$places/tool" 2>&1
ok "explain knows the rule" grep -q X-Env "$places/tool"
# Faults name what stood there, but never a header's value.
broken() {
    config "$folder/broken.cfg" <<CFG
version = 1;
policies: { p: { extends = "standard"; $1 }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG
    gusset check "$folder/broken.cfg"
    gusset check --json "$folder/broken.cfg"
    GUSSET_CONFIG=$folder/broken.cfg LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/"
}
{
    broken "headers = ( { name = \"X-A\"; value = \"${secret}11\\r\\nx\"; } );"
    broken "headers = ( { name = \"X-A\"; valeu = \"${secret}12\"; } );"
    broken "headers = ( { name = \"X A\"; value = \"${secret}13\"; } );"
    broken "headers = ( { name = \"X-A\"; value = [\"${secret}14\"]; } );"
    broken "headers = ( { name = \"X-A\"; value = \"${secret}15\" \"a\\n\"; override = \"x\"; } );"
    broken "headers = ( { name = \"X-A\"; value = \"\${file:/nonexistent}${secret}16\"; } );"
    broken "headers = [ \"X-A: ${secret}17\" ];"
    broken "retry: { attempts = \"\${TOKEN}\"; };"
    broken "timeout: { total = \"\${TOKEN}\"; };"
    broken "breaker: { errno = \"\${TOKEN}\"; };"
    TOKEN=$'PLANTED18\nx' broken "headers = ( { name = \"X-A\"; value = \"\${TOKEN}\"; } );"
} >"$places/faults" 2>&1
ok "the faults are told" grep -q broken.cfg: "$places/faults"

# What a reply is made of, kept in or led to, and where calls are recorded and played again.
start_upstream
shelf=$GUSSET_STATE.stale-$(id -u)
config "$folder/replies.cfg" <<CFG
version = 1;
faults = true;
log: { level = "debug"; target = "$places/replies.log"; format = "logfmt"; };
policies: {
  kept: { retry: { attempts = 3; backoff: { base = "1ms"; cap = "2ms"; }; resume = true; idempotency_key = true; budget: { ratio = 100; }; };
          breaker: { consecutive = 8; open = "100ms"; reject = "503"; }; stale: { };
          headers = ( { name = "X-Env"; value = "Bearer \${TOKEN}"; } ); };
  made: { extends = "kept"; fallback: { body = "${secret}20fallback"; methods = ["GET", "POST"]; }; limit: { rate = 3; per = "1s"; burst = 3; key = "\${TOKEN}"; reject = "429"; }; };
  ill: { extends = "kept"; fault: { percent = 70; error = "503"; until = "2099-01-01T00:00:00Z"; }; };
};
services = ( { name = "users"; urls = ["http://127.0.0.1:1", "http://127.0.0.1:$port/api"]; prefix = true; policy = "kept";
               health: { path = "/health?key=${secret}21health"; timeout = "1s"; }; } );
hosts = ( { match = "127.0.0.1"; policy = "kept"; },
          { match = "127.0.0.1"; paths = ["/made*"]; policy = "made"; }, { match = "127.0.0.1"; paths = ["/ill*"]; policy = "ill"; } );
CFG
export GUSSET_CONFIG=$folder/replies.cfg
url=http://127.0.0.1:$port
gets() {
    local query="key=${secret}22query&text=x" user="u:${secret}23userinfo"
    for path in kept/${secret}24path made ill; do
        "$@" curl -sS -o /dev/null -H "X-Key: ${secret}25key" "$url/$path?$query"
        "$@" curl -sS -o /dev/null -H "X-Key: ${secret}25key" "$url/$path?$query&body=9000&reset=body"
        "$@" curl -sS -o /dev/null -d "${secret}26body" "http://$user@127.0.0.1:$port/$path?$query&status=503"
        "$@" curl -sS -o /dev/null --oauth2-bearer "${secret}27token" "http://users/$path?$query"
        "$@" curl -sS -o /dev/null "http://$user@users/$path?$query&status=503"
    done
}
{
    gets gusset run --record "$places/record" --report --
    cp "$places/record" "$places/record.up"
    cp -r "$shelf" "$folder/shelf.up"
    ask down >/dev/null
    gets gusset run --record "$places/record" --report --json --
    gets gusset run --shadow --report --
    ask up >/dev/null
} >"$places/replies.said" 2>&1
ok "replies were kept" test "$(find "$folder/shelf.up" -type f ! -name key | wc -l)" -ge 2
ok "given again" test "$(counted stale)" -ge 1
ok "made" test "$(counted fallback)" -ge 1
ok "rehearsed" test "$(counted faults)" -ge 1
find "$folder/shelf.up" "$shelf" >"$places/shelf.names"
find "$folder/shelf.up" "$shelf" -type f -exec cat {} + >"$places/shelf.files"
{
    gusset metrics
    gusset metrics --json
    gusset status
    gusset status --json
    gusset events -n all
    gusset events -n all --json
} >"$places/figures" 2>&1
for form in "" --json; do
    gusset health $form
    gusset replay "$places/record.up" --policy standard $form
    gusset replay "$places/record" --config "$folder/replies.cfg" $form
done >"$places/played" 2>&1
ok "the record was played" grep -q 'calls' "$places/played"
cp "$GUSSET_STATE" "$places/replies.state"

for file in "$places"/*; do
    found=$(grep -aoE "${secret}[0-9]+[a-z]*" "$file" | sort -u | xargs)
    case $(basename "$file") in
    # curl's own words about its URL are its own; the image may hold a literal of the configuration, not what was expanded.
    *) is "$(basename "$file" | sed 's/rules-.*/rules/') holds no secret" "$found" "" ;;
    esac
done
# A tenant's bucket may be told by an API key.
config "$folder/limit.cfg" <<CFG
version = 1;
policies: { p: { limit: { rate = 10; per = "1s"; burst = 10; key = "\${TOKEN}"; }; }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG
forget
GUSSET_CONFIG=$folder/limit.cfg gusset run -- curl -s -o /dev/null "$url/"
is "a limit's key is not in the state either" "$(grep -aoE "${secret}[0-9]+[a-z]*" "$GUSSET_STATE" | sort -u | xargs)" ""
is "the image is for its owner alone" "$(find "$folder" -maxdepth 1 -name "gusset-$(id -u).rules-*" ! -perm 0600 | wc -l)" 0
is "so are a record and what is kept" "$(stat -c %a "$places/record" "$shelf" "$shelf"/* | sort -u | xargs)" "600 700"
is "so is the log" "$(stat -c %a "$places/log.json")" 600

done_testing
