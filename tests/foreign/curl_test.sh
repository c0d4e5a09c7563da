#!/bin/bash
# The curl of another Debian (another architecture, or a newer libcurl, glibc and libconfig) under gusset. Run by
# scripts/foreign: FOREIGN is the build for it, ROOT its unpacked packages, EMULATOR what runs its programs, PRELOAD
# how that is told of the library; BUILD is this machine's own build.
. "$(dirname "$0")/../programs/lib.sh"
start_upstream
url=http://127.0.0.1:$port
library=$(realpath "$FOREIGN")/libgusset.so
config "$folder/gusset.cfg" <<CFG
version = 1;
policies: { p: { extends = "standard"; retry: { attempts = 4; backoff: { base = "5ms"; }; budget: { ratio = 100; }; };
                 breaker: { consecutive = 8; rate: { minimum = 1000; }; open = "60s"; };
                 propagate = ["request_id", "traceparent"];
                 headers = ( { name = "X-Literal"; value = "as it stands"; } ); }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; } );
CFG
export GUSSET_CONFIG=$folder/gusset.cfg
foreign() { $EMULATOR "$@"; }
wrapped() { $EMULATOR ${PRELOAD}"$library" "$ROOT/usr/bin/curl" "$@"; }
header() { ask "heads?key=$1" | tr -d '\r' | grep -i "^$2: " | cut -d ' ' -f 2-; }

echo "# $(foreign "$ROOT/usr/bin/curl" -V | head -n 1 | cut -d ' ' -f 1-5)"
is "with no rule a call is as bare" "$(wrapped -s "http://localhost:$port/?key=bare&status=503"; echo $?) $(ask 'count?key=bare')" \
    "$(foreign "$ROOT/usr/bin/curl" -s "http://localhost:$port/?key=other&status=503"; echo $?) 1"
is "a call is rescued after two failures" "$(wrapped -s "$url/?key=a&status=503&first=2") $(ask 'count?key=a')" "ok 3"
is "so is one whose connection was reset" "$(wrapped -s "$url/?key=r&reset=headers&first=1") $(ask 'count?key=r')" "ok 2"
is "a PUT is sent again whole" "$(seq 10000 | wrapped -s -T - "$url/?key=put&status=503&first=1" >/dev/null; ask 'count?key=put')" 2
is "a POST that was sent is not" "$(wrapped -s -d x "$url/?key=post&status=503&first=1" >/dev/null; ask 'count?key=post')" 1
is "headers arrive" "$(header a X-Literal | sort -u)" "as it stands"
is "with one id over the attempts" "$(header a X-Request-Id | wc -l) $(header a X-Request-Id | sort -u | wc -l)" "3 1"
is "a body arrives byte for byte" "$(wrapped -s "$url/?body=100000&status=200" | cksum)" "$(command curl -s "$url/?body=100000" | cksum)"
is "a limit that passes ends the attempt" "$(GUSSET_SET=timeout.attempt=300ms wrapped -s -o /dev/null "$url/?key=t&stall=headers&for=20000"; echo $?)" 28
is "this machine's own command reads what was counted" "$(counted rescued)" 3
for _ in 1 2 3; do wrapped -s -o /dev/null "$url/?status=503"; done
is "a circuit that it opened refuses this machine's own curl" "$(command gusset run -- curl -s -o /dev/null "$url/?key=native"; echo $?) $(ask 'count?key=native')" "7 0"
is "and its own" "$(wrapped -s -o /dev/null "$url/?key=again"; echo $?) $(ask 'count?key=again')" "7 0"

# ---- what goes deeper into libcurl ----
config "$folder/deep.cfg" <<CFG
version = 1;
policies: { p: { extends = "standard"; retry: { attempts = 3; backoff: { base = "5ms"; }; budget: { ratio = 100; }; }; breaker: { consecutive = 50; };
                 hedge: { after = "300ms"; }; fallback: { status = 200; type = "application/json"; body = "{}"; }; pool: { share = true; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; }, { match = "localhost"; policy = "quick"; } );
services = ( { name = "user-service"; url = "http://127.0.0.1:$port"; health = "/?key=health"; } );
CFG
export GUSSET_CONFIG=$folder/deep.cfg
forget
is "a slow reply is overtaken by a second attempt" "$(wrapped -s "$url/?key=h&delay=20000&first=1") $(ask 'count?key=h')" "ok 2"
is "in a loop, too" "$(wrapped -sZ "$url/?key=z&delay=20000&first=1") $(ask 'count?key=z')" "ok 2"
is "each was won" "$(counted hedge_won)" 2
is "in a loop calls are rescued" "$(wrapped -sZ "$url/?key=l1&status=503&first=2" "$url/?key=l2&reset=headers&first=1" | xargs) $(ask 'count?key=l1') $(ask 'count?key=l2')" "ok ok 3 2"
is "a reply that no server sent" "$(wrapped -s -w ' %{http_code} %{content_type} %{url_effective}' "$url/?status=503")" "{} 200 application/json $url/?status=503"
is "in a loop, too" "$(wrapped -sZ -w ' %{http_code}' "$url/?status=503")" "{} 200"
is "an error in a loop is the program's" "$(wrapped -sZ "http://localhost:$port/?key=e&reset=headers" "http://localhost:$port/?key=f&reset=headers"; echo $?) $(ask 'count?key=e') $(ask 'count?key=f')" "56 2 2"
is "so is a refusal" "$(gusset trip "localhost:$port" >/dev/null; wrapped -sZ "http://localhost:$port/?key=g"; echo $?) $(ask 'count?key=g')" "7 0"
gusset reset "localhost:$port" >/dev/null
is "a limit ends a body that has stalled" \
    "$(GUSSET_SET=timeout.idle=1s timeout 30 $EMULATOR ${PRELOAD}"$library" "$ROOT/usr/bin/curl" -s -o /dev/null "http://127.0.0.1:$port/?stall=body&body=1000&for=50000"; echo $?)" 28
is "a service is found by its name" "$(wrapped -s "http://user-service/?key=service") $(ask 'count?key=service')" "ok 1"
is "its health is asked by that libcurl" "$(foreign "$FOREIGN/gusset" health >/dev/null; echo $?) $(ask 'count?key=health')" "0 1"
export GUSSET_CONFIG=$folder/gusset.cfg

# ---- the command ----
for _ in 1 2 3 4 5 6 7 8 9; do wrapped -s -o /dev/null "$url/?status=503"; done
is "the command works" "$(foreign "$FOREIGN/gusset" check | grep -o '1 polic[a-z]*, 1 rule')" "1 policy, 1 rule"
is "and reads the shared state" "$(foreign "$FOREIGN/gusset" status --json | grep -o '"circuit":"open"')" '"circuit":"open"'

done_testing
