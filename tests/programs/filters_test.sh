#!/bin/bash
# Which rule means a call: by method, path and program, at both of curl's interfaces and at connect(2). And shadow, of the
# file, of a rule and of a run.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
export GUSSET_CONFIG=$folder/gusset.cfg
ln -s "$(type -P curl)" "$folder/fetch"
ln -s "$(type -P curl)" "$folder/backup"

marked() { echo "$1: { extends = \"quick\"; headers = ( { name = \"X-Rule\"; value = \"$1\"; } ); };"; }
config "$GUSSET_CONFIG" <<CFG
version = 1;
policies: { $(for name in rest writes search sweep mine both exact; do marked $name; done) };
hosts = (
  { match = "127.0.0.1"; policy = "rest"; },
  { match = "127.0.0.1"; methods = ["POST", "PUT"]; policy = "writes"; },
  { match = "127.0.0.1"; paths = ["/v1/search*", "/v1/*/find"]; policy = "search"; },
  { match = "127.0.0.1"; paths = ["/v1/search*"]; methods = ["DELETE"]; policy = "sweep"; },
  { match = "127.0.0.1"; paths = ["/v1/searches"]; policy = "exact"; },
  { match = "127.0.0.1"; programs = ["fetch", "other"]; policy = "mine"; },
  { match = "127.0.0.1"; programs = ["backup"]; methods = ["PUT"]; policy = "both"; }
);
CFG
exits "the rules are no tie" 0 gusset check "$GUSSET_CONFIG"
echo body >"$folder/body"
wrong=0 count=0
while read -r wanted program path arguments; do
    for multi in "" "-Z"; do
        # shellcheck disable=SC2086 # arguments are words
        got=$(gusset run -- "$folder/$program" -s $multi $arguments "$url$path?echo=request" 2>/dev/null | tr -d '\r' | sed -n 's/^X-Rule: //p')
        count=$((count + 1))
        [ "$got" = "$wanted" ] && continue
        wrong=$((wrong + 1))
        echo "# $program $arguments $path $multi: $got instead of $wanted"
    done
    method=$(awk '{for (i = 1; i < NF; i++) if ($i == "-X") m = $(i + 1); print m ? m : /-T/ ? "PUT" : /-d/ ? "POST" : "GET"}' <<<"$arguments ")
    got=$(field "$(gusset explain "$url$path" --method "$method" --program "$program" --json)" "d['policy']")
    [ "$got" = "$wanted" ] || echo "# explain $method $path by $program: $got instead of $wanted"
    [ "$got" = "$wanted" ] || wrong=$((wrong + 1))
done <<CASES
rest   backup /
rest   backup /v2/search
writes backup /           -d a=b
writes backup /v2         -X POST
search backup /v1/search
search backup /v1/search/deep
search backup /v1/any/find
rest   backup /v1/any/finder
search backup /v1/search  -d a=b
sweep  backup /v1/search  -X DELETE
writes backup /v1/find    -d a=b
exact  backup /v1/searches
mine   fetch  /
writes fetch  /           -d a=b
search fetch  /v1/search
both   backup /           -T $folder/body
writes fetch  /           -T $folder/body
CASES
is "of $count calls each is under the rule that it should be" "$wrong" 0

# ---- connect(2): it knows no method and no path ----
closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
ln -s "$(type -P bash)" "$folder/psql"
ln -s "$(type -P bash)" "$folder/redis"
open_circuit() { echo "$1: { breaker: { consecutive = 1; open = \"60s\"; errno = \"$2\"; }; };"; }
config "$GUSSET_CONFIG" <<CFG
version = 1;
policies: { $(open_circuit all ETIMEDOUT) $(open_circuit base EHOSTUNREACH) $(open_circuit never ECONNREFUSED) };
hosts = (
  { match = "127.0.0.1"; policy = "all"; },
  { match = "127.0.0.1"; programs = ["psql"]; policy = "base"; },
  { match = "127.0.0.1"; methods = ["GET"]; policy = "never"; },
  { match = "127.0.0.1"; paths = ["*"]; policy = "never"; }
);
CFG
# shellcheck disable=SC2016 # the inner shell's
knock='for i in 1 2; do { : 3<>"/dev/tcp/127.0.0.1/$0"; } 2>&1; done | tail -n 1 | sed "s/.*: //"'
is "a connect is under a rule of its program" "$(LC_ALL=C gusset run -- "$folder/psql" -c "$knock" "$closed")" "No route to host"
is "another program under the one for all, and none under a rule of methods or paths" \
    "$(LC_ALL=C gusset run -- "$folder/redis" -c "$knock" "$closed")" "Connection timed out"

# ---- shadow ----
# modes FILE RULE: of the file, and of the rule for 127.0.0.1
modes() {
    rm -f "$GUSSET_STATE"
    config "$GUSSET_CONFIG" <<CFG
version = 1;
$1
policies: { p: { retry: { attempts = 3; backoff: { base = "1ms"; }; }; breaker: { consecutive = 100; open = "60s"; errno = "ETIMEDOUT"; };
  headers = ( { name = "X-Rule"; value = "p"; } ); }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; $2 }, { match = "localhost"; policy = "p"; } );
CFG
}
# tries HOST ARGUMENT...: how often a failing call is made, at both interfaces
tries() {
    local key=$RANDOM$RANDOM host=$1
    shift
    gusset run "$@" -- curl -s -o /dev/null "http://$host:$port/?status=503&key=$key"
    gusset run "$@" -- curl -s -Z -o /dev/null "http://$host:$port/?status=503&key=${key}z" 2>/dev/null
    echo "$(ask "count?key=$key")$(ask "count?key=${key}z")"
}
modes '' ''
is "without shadow both hosts are helped" "$(tries 127.0.0.1) $(tries localhost)" "33 33"
modes 'mode = "shadow";' ''
is "shadow of the file: neither is" "$(tries 127.0.0.1) $(tries localhost)" "11 11"
is "but what would have been done is counted" "$(counted would_retry)" 4
modes '' 'mode = "shadow";'
is "shadow of a rule: of that host" "$(tries 127.0.0.1) $(tries localhost)" "11 33"
modes 'mode = "shadow";' 'mode = "enforce";'
is "a rule may act in a file that only watches" "$(tries 127.0.0.1) $(tries localhost)" "33 11"
modes '' 'mode = "off";'
is "a rule that is off is as none" "$(tries 127.0.0.1) $(tries localhost)" "11 33"
modes '' ''
is "shadow of a run: of that run" "$(tries 127.0.0.1 --shadow) $(tries 127.0.0.1)" "11 33"
modes '' 'mode = "enforce";'
is "a run's wins over the rule's" "$(tries 127.0.0.1 --shadow)" "11"
modes '' 'mode = "shadow";'
sed -i 's/consecutive = 100/consecutive = 1/' "$GUSSET_CONFIG"
is "a connect in shadow is not refused" "$(LC_ALL=C gusset run -- bash -c "$knock" "$closed")" "Connection refused"
at_least "but counted as one that would be" "$(counted would_reject)" 1
done_testing
