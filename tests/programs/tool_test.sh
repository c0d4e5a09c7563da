#!/bin/bash
# The command: its exit codes, what it says, and what it keeps to itself. Needs no server: every call goes
# to port 1 of this machine, where nobody listens.
# shellcheck disable=SC2154 # folder is lib.sh's
. "$(dirname "$0")/lib.sh"
dead=http://127.0.0.1:1/
quick=(gusset run --policy quick --set retry.backoff.base=1ms)

# ---- help and misuse ----
exits "without a verb the command is misused" 2 gusset
exits "--help is fine" 0 gusset --help
says "and lists the verbs" "$out" '^  run +run an unmodified'
exits "--version is fine" 0 gusset --version
says "and tells it" "$out" '^gusset [0-9]+\.[0-9]'
is "and where the library is, for a bare LD_PRELOAD" "$(sed -n 's/^library: //p' <<<"$out")" "$BUILD/libgusset.so"
for verb in run check explain status events trip reset reload help; do
    exits "help $verb is fine" 0 gusset help $verb
    says "and has examples" "$out" '^examples:'
    exits "$verb --help is fine" 0 gusset $verb --help
done
exits "an unknown verb is misuse" 2 gusset stats
says "and the nearest is named" "$err" 'did you mean status'
exits "an unknown option is misuse" 2 gusset status --bogus
exits "a colour that is none is misuse" 2 gusset status --color=blue
exits "a second host is misuse" 2 gusset status a b
exits "a URL in the wrong place is misuse" 2 gusset https://me:pass@host/
is_silent "and its password is not repeated" "$err" 'pass@'

exits "an option of two letters exchanged is misuse" 2 gusset status --jsno
says "and the nearest is named" "$err" '\(--json\?\)'
exits "an option before its verb is misuse" 2 gusset --json status
says "and that is said" "$err" 'no verb stands before the option --json'
exits "a word of three letters that has one in common with a verb" 2 gusset help foo
is_silent "is not taken for it" "$err" 'did you mean'
exits "a program in the place of the verb is misuse" 2 gusset curl http://me:pass@host/
says "and how to run it is told" "$err" '`gusset run -- curl`$'
is_silent "without its arguments" "$err" 'pass@'
exits "explain of a policy that is none" 1 gusset explain --policy quikc
says "names the option that said so" "$err" '^--policy: unknown policy "quikc", did you mean "quick"'
if [ -e /dev/full ]; then
    for verb in status explain\ --policy\ quick help --version; do
        is "gusset $verb on a full disk fails" "$(gusset $verb 2>&1 >/dev/full; echo " $?")" "gusset: standard output cannot be written
 1"
    done
    # 1 and 2 are what doctor has found; a page that could not be written is neither.
    is "doctor, whose 1 says something else, fails by itself" "$(gusset doctor curl 2>&1 >/dev/full; echo " $?")" \
        "gusset: standard output cannot be written
 125"
fi

# ---- run: exit codes ----
exits "run ends with the program's status" 7 gusset run -- sh -c 'exit 7'
exits "run needs no --" 3 gusset run sh -c 'exit 3'
exits "run without a command fails by itself" 125 gusset run
exits "run with an unknown option fails by itself" 125 gusset run --bogus -- true
exits "a program that is not there" 127 gusset run -- /nonexistent/program
exits "a program that is not in PATH" 127 gusset run -- no-such-program-here
touch "$folder/plain"
exits "a file that cannot be executed" 126 gusset run -- "$folder/plain"
exits "a folder cannot be executed" 126 gusset run -- "$folder"
(gusset run -- sh -c 'kill -9 $$'; exit $?) 2>/dev/null
is "a killed program is seen as killed" $? 137
(gusset run --report -- sh -c 'curl -s http://127.0.0.1:1/; kill -9 $$'; exit $?) 2>"$folder/err"
is "with a report too" $? 137
says "and what was done for it until then is told" "$(cat "$folder/err")" '^127\.0\.0\.1:1 +standard +1 '
rm -f "$GUSSET_STATE"
exits "a wrong --set starts nothing" 125 gusset run --set retry.attemps=2 -- sh -c 'echo started'
is "nothing was printed by the program" "$out" ""
says "and the right key is named" "$err" 'retry\.attempts'
exits "--set without = is refused" 125 gusset run --set retry -- true
exits "an unknown policy starts nothing" 125 gusset run --policy nope -- true
exits "a missing configuration starts nothing" 125 gusset run --config "$folder/none.cfg" -- true
says "and is named" "$err" 'none\.cfg: no such file'
exits "an id with a line break is refused" 125 gusset run --tenant $'a\nb' -- true
exits "a library that is not there" 125 env GUSSET_LIBRARY=/nonexistent.so gusset run -- true

# ---- run: the environment ----
exits "the library comes first and once, what stood there stays" 0 \
    env LD_PRELOAD=libm.so.6 gusset run -- gusset run -- sh -c 'echo "$LD_PRELOAD"'
is "in LD_PRELOAD" "$out" "$BUILD/libgusset.so:libm.so.6"
exits "what run was told goes into the environment" 0 gusset run --shadow --tenant t --project p --request-id r \
    --set retry.attempts=2 -- gusset run --set retry.attempts=3 -- \
    sh -c 'echo "$GUSSET_MODE $GUSSET_TENANT_ID $GUSSET_PROJECT_ID $GUSSET_REQUEST_ID $GUSSET_POLICY"; echo "$GUSSET_SET"'
is "mode, ids, the policy that nobody named, and both settings in order" "$out" \
    $'shadow t p r standard\nretry.attempts=2\nretry.attempts=3'
printf 'hosts = ( { match = "*"; policy = "quick"; } );\n' >"$folder/good.cfg"
(cd "$folder" && gusset run --config good.cfg -- sh -c 'echo "$GUSSET_CONFIG ${GUSSET_POLICY-unset}"') >"$folder/out"
is "a configuration is named by its whole path, and then no policy is assumed" "$(cat "$folder/out")" "$folder/good.cfg unset"
exits "an assumed policy is not handed on: a run below finds its own file" 0 gusset run -- \
    env GUSSET_CONFIG="$folder/good.cfg" gusset run -- sh -c 'echo "${GUSSET_POLICY-unset} ${GUSSET_POLICY_IMPLIED-unset}"'
is "and takes no policy" "$out" "unset unset"
exits "a program below that names a file" 7 gusset run --report -- env GUSSET_CONFIG="$folder/good.cfg" curl -s $dead
says "is judged by it" "$err" '^127\.0\.0\.1:1 +quick '
rm -f "$GUSSET_STATE"
exits "a policy that somebody names below" 0 gusset run -- env GUSSET_POLICY=quick gusset run -- sh -c 'echo "$GUSSET_POLICY"'
is "stays" "$out" "quick"
(cd "$folder" && GUSSET_STATE=state gusset run -- sh -c 'echo "$GUSSET_STATE"') >"$folder/out"
is "a relative state is spelled out" "$(cat "$folder/out")" "$folder/state"
exits "an unknown GUSSET_MODE starts nothing" 125 env GUSSET_MODE=shadwo gusset run -- echo started
says "and is quoted, with what there is" "$err" 'GUSSET_MODE is "shadwo", expected one of enforce, shadow, off'
is "nothing was started" "$out" ""
exits "an unknown level of GUSSET_LOG starts nothing" 125 env GUSSET_LOG=loud:stderr gusset run -- true
says "and is quoted too" "$err" 'GUSSET_LOG is "loud", expected one of off, error, warn, info, debug'
exits "a target that no line could reach starts nothing" 125 env GUSSET_LOG=info:log.txt gusset run -- true
says "and is quoted, with what there is" "$err" 'GUSSET_LOG is "log.txt", expected stderr, syslog or an absolute path'
exits "a known one does, with a target" 0 env GUSSET_MODE=enforce GUSSET_LOG=info:stderr gusset run -- true
exits "empty words say nothing" 0 env GUSSET_MODE= GUSSET_LOG= gusset run -- true

# ---- run: programs that cannot be wrapped ----
echo 'int main(void) { return 9; }' >"$folder/main.c"
if cc -static "$folder/main.c" -o "$folder/static" 2>/dev/null; then
    exits "a static program is refused" 125 gusset run -- "$folder/static"
    says "with the reason and the way out" "$err" 'statically linked.*--force'
    exits "--force runs it" 9 gusset run --force -- "$folder/static"
    says "with a warning" "$err" 'warning: .*runs bare'
    printf '#!%s\n' "$folder/static" >"$folder/script"
    chmod +x "$folder/script"
    exits "a script of a static interpreter is refused" 125 gusset run -- "$folder/script"
    printf '#!/usr/bin/env -S %s\n' "$folder/static" >"$folder/script"
    exits "also behind env" 125 gusset run -- "$folder/script"
else
    skip "a static program is refused" "cc -static does not work here"
fi
if cc "$folder/main.c" -o "$folder/setuid" 2>/dev/null && [ "$(id -u)" = 0 ] && chown 65534 "$folder/setuid"; then
    chmod u+s "$folder/setuid"
    exits "a setuid program is refused" 125 gusset run -- "$folder/setuid"
    says "with the reason" "$err" 'setuid'
else
    skip "a setuid program is refused" "making one needs root and cc"
fi
{ printf '\177ELF\001\001\001' && head -c 200 /dev/zero; } >"$folder/foreign"
chmod +x "$folder/foreign"
exits "a program of another architecture is refused" 125 gusset run -- "$folder/foreign"
says "with both named" "$err" '32-bit.*64-bit'
printf 'exit 6\n' >"$folder/bare-script"
chmod +x "$folder/bare-script"
printf '#!/nonexistent/interpreter\n' >"$folder/orphan"
chmod +x "$folder/orphan"
exits "a script whose interpreter is missing" 127 gusset run -- "$folder/orphan"
says "is told so" "$err" 'orphan: .*interpreter.* missing'
exits "with a report likewise" 127 gusset run --report -- "$folder/orphan"
says "in the same words" "$err" 'orphan: .*interpreter.* missing'
exits "a script without #! runs in the shell" 6 gusset run -- "$folder/bare-script"
loader=$(readelf -l /bin/sh 2>/dev/null | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
[ -z "$loader" ] || exits "the loader itself may be run" 0 gusset run -- "$loader" "$(type -P true)"

# ---- run: signals ----
gusset run --report -- sh -c 'trap "exit 9" TERM; sleep 5 & wait' 2>/dev/null &
runner=$!
sleep 0.3
kill -TERM $runner
wait $runner
is "a signal is handed on to the program" $? 9

# ---- the state, before there is any ----
exits "status before any call is honest" 0 gusset status
says "and names the file" "$out" "no state yet at $GUSSET_STATE"
exits "status --json likewise" 0 gusset status --json
is_json "as JSON" "$out"
exits "events likewise" 0 gusset events
exits "events --json prints nothing" 0 gusset events --json
is "not a word" "$out" ""
exits "reset has nothing to do" 0 gusset reset

# ---- report ----
exits "a report goes to standard error" 7 "${quick[@]}" --report -- curl -s $dead
is "and not to standard output" "$out" ""
says "with a line for the host" "$err" '^127\.0\.0\.1:1 +quick +1 +2 +1 +0 +0 +1 '
is_silent "and no total of one host" "$err" '^total'
exits "a report of two hosts" 7 "${quick[@]}" --report -- sh -c "curl -s http://localhost:1/; curl -s $dead"
says "has a total" "$err" '^total +2 '
exits "a report as JSON" 7 "${quick[@]}" --report --json -- curl -s $dead
is_json "is JSON" "$err"
is "with the numbers" "$(field "$err" 'd["hosts"][0]["host"], d["total"]["calls"]')" "127.0.0.1:1 1"
exits "a program without calls" 0 "${quick[@]}" --report -- true
says "is told so" "$err" 'saw no call of true; does it use'
exits "a program that runs while gusset is off" 7 env GUSSET_MODE=off "${quick[@]}" --report -- curl -s $dead
says "is told why" "$err" 'saw no call of curl: gusset is off \(GUSSET_MODE\)'
exits "what a nested run did counts outside too" 7 gusset run --report -- "${quick[@]}" --report -- curl -s $dead
is "twice the same line" "$(grep -c '^127\.0\.0\.1:1 ' <<<"$err")" 2
exits "--json alone is misuse" 125 gusset run --json -- true
is "no count is left behind" "$(find /dev/shm -maxdepth 1 -name 'gusset-run-*' -newer "$folder/plain" -user "$(id -u)" | wc -l)" 0
rm -f "$GUSSET_STATE"
exits "in shadow nothing is repeated" 7 "${quick[@]}" --shadow --report -- curl -s $dead
says "but counted" "$err" '^127\.0\.0\.1:1 +quick \(shadow\) +1 +1 +\(1\)'

# ---- status and events ----
rm -f "$GUSSET_STATE"
for _ in 1 2 3; do "${quick[@]}" -- curl -s $dead; done
exits "status lists the hosts" 0 gusset status
says "with an open circuit" "$out" '^127\.0\.0\.1:1 +quick +open, '
is_silent "without colour in a pipe" "$out" $'\033'
exits "status of one host" 0 gusset status 127.0.0.1
says "has the window" "$out" '^  window +5 attempts, 5 failed'
exits "status of a host that is not there" 1 gusset status nowhere
exits "status --json" 0 gusset status --json
is_json "is JSON" "$out"
is "with the circuit" "$(field "$out" 'd["hosts"][0]["circuit"], d["hosts"][0]["opened"]')" "open 1"
exits "colour when it is asked for" 0 gusset status --color=always
says "is there" "$out" $'\033\\[31mopen'
exits "NO_COLOR is no match for --color=always" 0 env NO_COLOR=1 gusset status --color=always
says "which is explicit" "$out" $'\033\\[31mopen'
if command -v script >/dev/null; then
    on_terminal() { env TERM=xterm "$@" script -qec "gusset status" /dev/null; }
    says "on a terminal there is colour" "$(on_terminal env -u NO_COLOR)" $'\033\\[31mopen'
    is_silent "but not with NO_COLOR" "$(on_terminal env NO_COLOR=1)" $'\033'
else
    skip "on a terminal there is colour" "script(1) is not installed"
fi
config "$folder/limit.cfg" <<'CFG'
version = 1;
policies: { keyed: { limit: { rate = 1; per = "1h"; burst = 5; key = "${GUSSET_TENANT_ID:-}"; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "keyed"; } );
CFG
limited=(env GUSSET_CONFIG="$folder/limit.cfg" GUSSET_STATE="$folder/limits")
for _ in 1 2; do "${limited[@]}" gusset run --tenant acme-secret -- curl -s $dead; done
exits "status of a limit with one tenant" 0 "${limited[@]}" gusset status
says "tells what is left" "$out" ' 3/5$'
"${limited[@]}" gusset run --tenant other-secret -- curl -s $dead
for _ in 1 2 3 4 5; do "${limited[@]}" gusset run -- curl -s $dead; done
exits "with more buckets" 0 "${limited[@]}" gusset status
says "it tells of the emptiest" "$out" ' 0/5 \(3 keys\)$'
exits "status of that host" 0 "${limited[@]}" gusset status 127.0.0.1
says "tells of each" "$(grep -c '^  tokens ' <<<"$out") $out" '^3 '
says "by the hash of its key" "$out" '^  tokens    3 of 5, for the key with hash [0-9a-f]{8}$'
says "also of that without one" "$out" '^  tokens    0 of 5$'
is_silent "and never by the key" "$out" secret
exits "status --json of limits" 0 "${limited[@]}" gusset status --json
is_json "is JSON too" "$out"
is "with the tokens of each bucket" "$(field "$out" 'd["hosts"][0]["tokens"]["burst"], sorted(b["left"] for b in d["hosts"][0]["tokens"]["buckets"])')" "5 [0, 3, 4]"
exits "a policy without a limit" 0 gusset status --json
is "has no tokens" "$(field "$out" 'd["hosts"][0]["tokens"]')" None
exits "events are told" 0 gusset events
says "with the opening" "$out" 'opened +127\.0\.0\.1:1 +connect .*circuit open for (5|4\.[5-9]) s'
exits "events -n 1 tells the last" 0 gusset events -n 1
is "one line" "$(wc -l <<<"$out")" 1
exits "events --json" 0 gusset events --json -n all
is_json "is NDJSON" "$out"
exits "events of another host" 0 gusset events --host nowhere
is "are none" "$out" ""
says "which is said beside the output" "$err" '^no events: '
exits "events -n with no number is misuse" 2 gusset events -n some
timeout 2 gusset events -f -n 0 >"$folder/followed" &
follower=$!
sleep 0.3
"${quick[@]}" -- curl -s http://127.0.0.1:2/
wait $follower
says "events -f tells of what comes" "$(cat "$folder/followed")" 'retry +127\.0\.0\.1:2'
is_silent "and of nothing before" "$(cat "$folder/followed")" '127\.0\.0\.1:1 '
timeout 4 gusset events -f -n 0 >"$folder/followed" & # a state that is removed and made anew is followed, too
follower=$!
sleep 0.3
rm -f "$GUSSET_STATE"
sleep 0.5
"${quick[@]}" -- curl -s http://127.0.0.1:2/
for _ in $(seq 100); do grep -q exhausted "$folder/followed" && break; sleep 0.05; done
kill $follower
wait $follower
says "events -f goes on with the state that has taken the place of the one before" "$(cat "$folder/followed")" 'exhausted +127\.0\.0\.1:2'
for _ in 1 2 3; do "${quick[@]}" -- curl -s $dead; done
head -c 100 /dev/zero >"$folder/damaged"
chmod 600 "$folder/damaged"
exits "a damaged state is a fault" 1 gusset status --state "$folder/damaged"
says "that says what to do" "$err" 'remove it'

# ---- trip and reset ----
exits "reset closes the circuit" 0 gusset reset 127.0.0.1:1
says "and counts it" "$out" '^1 circuit closed'
exits "as status sees" 0 gusset status 127.0.0.1:1
says "closed, and its failures forgotten" "$out" 'closed|0 attempts, 0 failed'
exits "trip opens it for a while" 0 gusset trip 127.0.0.1:1 --for 1h
exits "so that calls are refused" 7 "${quick[@]}" --report -- curl -s $dead
says "without an attempt" "$err" '^127\.0\.0\.1:1 +quick +1 +0 +0 +0 +1 '
exits "trip of a host by name takes all ports" 0 gusset trip 127.0.0.1
is "and policies: quick on two ports, and on one what the rules would have given" "$(wc -l <<<"$out")" 3
says "until reset" "$out" 'open until `gusset reset'
exits "reset without a host closes all" 0 gusset reset
says "all three" "$out" '^3 circuits closed'
exits "by hand is an event" 0 gusset events
says "tripped" "$out" 'tripped +127\.0\.0\.1:1 +opened by hand for 1 h'
says "reset" "$out" 'reset +127\.0\.0\.1:1 +closed by hand'
exits "trip makes the place of a host that was never called" 0 gusset trip new.example:80
exits "for the policy that holds there" 0 gusset status new.example
says "standard" "$out" 'policy standard'
cat >"$folder/shadow.cfg" <<'CFG'
hosts = (
    { match = "shade.example"; policy = "quick"; mode = "shadow"; },
    { match = "dark.example"; policy = "quick"; mode = "off"; }
);
CFG
exits "trip where the rule is in shadow" 1 env GUSSET_CONFIG="$folder/shadow.cfg" gusset trip shade.example:80
says "says that it refuses nothing" "$err" 'the rule at .*shadow.cfg:2 is in shadow: nothing is refused'
exits "and opens no circuit" 1 gusset status shade.example
exits "trip where the rule is off" 1 env GUSSET_CONFIG="$folder/shadow.cfg" gusset trip dark.example:80
says "says that as well" "$err" 'shadow.cfg:3 is off: nothing is refused'
exits "without a port it asks for one" 1 gusset trip other.example
says "by name" "$err" 'HOST:PORT'
exits "trip of an unknown policy" 1 gusset trip --policy quikc new.example:80
exits "trip without a host is misuse" 2 gusset trip
exits "trip with a bad duration is misuse" 2 gusset trip new.example --for 3
exits "reset of a host that is not there" 1 gusset reset nowhere

# A pattern was taken for the name of a host: `off --host '*'` said "off", and nothing was.
for place in '*:80' '*.example.com:443' 'http://*/' ; do
    exits "trip of the pattern $place is misuse" 2 gusset trip "$place"
    says "and says what is wanted" "$err" 'name one host'
done
exits "off for the pattern of all hosts is misuse" 2 gusset off --host '*'
says "and says how all are meant" "$err" 'without --host all hosts are meant'
exits "off with a host behind it is misuse" 2 gusset off api.example.com
says "and says how one is named" "$err" 'one host alone is named by --host'
exits "off for a host that was never called" 0 gusset off --host uncalled.example
says "status knows that there is one" "$(gusset status | head -n 1)" ', 1 host switched by hand$'
is "also as JSON" "$(field "$(gusset status --json)" 'd["switched_hosts"]')" 1
gusset off >/dev/null
says "a mode that was switched is not shown in passing" "$(gusset status --color=always | head -n 1)" $'^\033\\[33m.*mode off'
exits "on, for all" 0 gusset on
says "what is as configured is" "$(gusset status --color=always | head -n 1)" $'^\033\\[2m.*mode as configured'
says "tells of the host that stays off" "$out" '^1 host has a mode of its own still; `gusset on --host HOST`'
exits "on for every host" 0 gusset on --host '*'
exits "and for all" 0 gusset on
is "is as configured" "$(wc -l <<<"$out") $(gusset status | grep -c 'switched by hand')" "1 0"
for order in off 'trip a.example:1' 'reset a.example:1'; do
    exits "$order to a state that was named by mistake" 1 gusset $order --state "$folder/mistaken"
    says "is no order to anybody" "$err" 'there is no state (yet )?at .*/mistaken'
    ok "and makes none" test ! -e "$folder/mistaken"
done
mkdir "$folder/many" # each user has a state: root's own is not all of them
for user in 0 33; do GUSSET_STATE=$folder/many/gusset-$user.v3 "${quick[@]}" -- curl -s $dead; done
for verb in status off on; do
    exits "$verb where another user has a state, too" 0 env GUSSET_STATE="$folder/many/gusset-0.v3" gusset $verb
    says "names that" "$out" "^other users have states of their own: .*/many/gusset-33.v3; .gusset $verb --state .*/gusset-33.v3"
done
is "and as JSON is silent" "$(GUSSET_STATE=$folder/many/gusset-0.v3 gusset status --json | grep -c 'other users')" 0

# ---- check, explain, reload ----
cat >"$folder/rules.cfg" <<'CFG'
version = 1;
policies: {
    shop: {
        extends = "quick";
        retry: { attempts = 4; };
        headers = ( { name = "X-Api-Key"; value = "s3cret"; } );
    };
};
hosts = (
    { match = "api.shop.example"; paths = [ "/v1/search*" ]; methods = [ "POST" ]; policy = "expensive"; },
    { match = "api.shop.example"; policy = "shop"; timeout: { total = "10s"; }; },
    { match = "*.shop.example"; policy = "standard"; },
    { match = "db.internal:5432"; policy = "database"; programs = [ "psql" ]; }
);
CFG
cat >"$folder/faulty.cfg" <<'CFG'
version = 1;
policies: {
    a: { retry: { atempts = 4; };
         timeout: { total = 10; }; };
};
hosts = ( { match = "x.example"; policy = "nope"; } );
CFG
exits "a fine file is fine" 0 gusset check "$folder/rules.cfg"
says "with its name and numbers" "$out" "rules.cfg: fine, 1 policy, 4 rules"
exits "a faulty file is not" 1 gusset check "$folder/faulty.cfg"
says "every fault has its line: an unknown key" "$out" "faulty.cfg:3: .*did you mean 'retry.attempts'"
says "a missing unit" "$out" 'faulty.cfg:4: timeout.total: .*unit'
says "an unknown policy" "$out" 'faulty.cfg:6: .*"nope"'
says "and they are counted" "$out" ': 3 faults$'
exits "check --json" 1 gusset check --json "$folder/faulty.cfg"
is_json "is JSON" "$out"
is "with the lines" "$(field "$out" '[f["line"] for f in d["faults"]]')" "[3, 4, 6]"
exits "check of a file that is not there" 1 gusset check "$folder/none.cfg"
exits "run names the faults and starts nothing" 125 gusset run --config "$folder/faulty.cfg" -- echo started
says "with their lines" "$err" 'faulty.cfg:4: '
is "nothing" "$out" ""

export GUSSET_CONFIG=$folder/rules.cfg
exits "explain of a URL" 0 gusset explain 'https://me:hidden@api.shop.example/v1/search?token=hidden#hidden' --method POST
says "names the rule" "$out" '^rule .*path "/v1/search\*", policy expensive, .*rules.cfg:10'
is "and those that lose, in the order of specificity" "$(grep -oE '^(rule|also|not) .*rules.cfg:[0-9]+' <<<"$out" | sed -E 's/ .*:/ /' | xargs)" \
    "rule 10 also 11 also 12"
is_silent "but neither userinfo nor query" "$out$err" 'hidden'
exits "explain of another method" 0 gusset explain https://api.shop.example/v1/search --set retry.backoff.base=300ms
says "another rule wins" "$out" '^rule .*policy shop, '
says "and it says why the first does not" "$out" '^not .*policy expensive.*another method'
is "in its place in the order" "$(grep -oE '^(rule|also|not) .*rules.cfg:[0-9]+' <<<"$out" | sed -E 's/ .*:/ /' | xargs)" "not 10 rule 11 also 12"
says "a setting of the rule" "$out" 'timeout\.total +10s +.*rules.cfg:11'
says "a setting of the policy" "$out" 'retry\.attempts +4 +.*rules.cfg:5'
says "a setting of what it extends" "$out" 'retry\.backoff\.cap +1s +built-in quick'
says "a setting of the command line" "$out" 'retry\.backoff\.base +300ms +--set'
says "a header's name" "$out" 'header X-Api-Key +\(not shown\)'
is_silent "but not its value" "$out" 's3cret'
says "the mode, and who said so" "$out" '^mode   enforce, default$'
says "the environment" "$(GUSSET_MODE=shadow gusset explain https://api.shop.example/)" '^mode   shadow, \$GUSSET_MODE$'
gusset mode shadow --host api.shop.example >/dev/null
says "and the switch of the host before it" "$(GUSSET_MODE=off gusset explain https://api.shop.example/)" '^mode   shadow, switched by `gusset mode --host`$'
gusset off >/dev/null
says "but off is off" "$(gusset explain https://api.shop.example/)" '^mode   off, switched by'
gusset on >/dev/null
gusset mode configured --host api.shop.example >/dev/null
exits "explain --json" 0 gusset explain https://api.shop.example/ --json
is_json "is JSON" "$out"
is_silent "without the value of a header" "$out" 's3cret'
is "with the winner" "$(field "$out" '[r["policy"] for r in d["rules"] if r["wins"]]')" "['shop']"
exits "no rule matches" 1 gusset explain other.example:80
says "and it says so" "$out" 'no rule matches'
exits "explain asks the program's name" 0 gusset explain db.internal:5432 --program psql
exits "and without it the rule does not match" 1 gusset explain db.internal:5432
exits "explain of a built-in policy" 0 gusset explain --policy database
says "in full" "$out" 'breaker\.open +30s +built-in database'
exits "explain of an unknown policy" 1 gusset explain --policy nope
exits "explain without a port is misuse" 2 gusset explain api.shop.example
exits "explain of nothing is misuse" 2 gusset explain
exits "reload compiles" 0 gusset reload
exits "and tells" 0 gusset reload
says "and who uses it" "$out" "those that start from now on use it"
cp "$folder/faulty.cfg" "$folder/rules.cfg"
exits "reload of a faulty file changes nothing" 1 gusset reload
says "and names the faults" "$err" 'rules.cfg:4: '
exits "status shows the state nevertheless" 0 gusset status
unset GUSSET_CONFIG
exits "with no configuration explain answers for run" 0 gusset explain http://any.example/
says "and says so" "$out" 'there is no configuration.*gusset run'
exits "with no configuration reload says so" 1 gusset reload

# ---- errors say what to do next ----
# advises STATUS PATTERN COMMAND...
advises() {
    exits "${*:3}" "$1" "${@:3}"
    says "is told what to do" "$err" "$2"
}
advises 1 '`gusset services` lists' gusset services nowhere
advises 1 '`gusset completion --list policies` lists' gusset trip --policy nowhere api.example.com:80
advises 1 'expected one of this file or a built-in one \(standard, ' gusset explain --policy nowhere
advises 1 '`gusset status` lists' gusset status nowhere
advises 1 '`gusset status` lists' gusset reset nowhere
advises 125 'unset it or name libgusset\.so' env GUSSET_LIBRARY=/nonexistent.so gusset run -- true
advises 125 'check the spelling and \$PATH' gusset doctor no-such-program
advises 1 '`gusset check` says where it is looked for' gusset reload
advises 1 '/nonexistent/file: No such file.*nothing was changed' gusset metrics --textfile /nonexistent/file
mkdir "$folder/folder"
advises 1 '\$GUSSET_STATE names another' gusset status --state "$folder/folder"
printf 'hosts = (' >"$folder/syntax.cfg"
chmod 666 "$folder/syntax.cfg"
exits "a file that others may write" 1 gusset check "$folder/syntax.cfg"
says "is told what to do" "$out" 'chmod go-w'
for verb in trip explain doctor mode completion replay; do
    exits "$verb without its argument" "$([ $verb = doctor ] && echo 125 || echo 2)" gusset $verb
    says "is told where that stands" "$err" "\`gusset help $verb\` says how it goes"
done

printf 'state: { path = "%s"; };\nhosts = ( { match = "*"; policy = "quick"; } );\n' "$folder/named" >"$folder/named.cfg"
exits "a state that the configuration names is the one that is shown" 0 \
    env -u GUSSET_STATE GUSSET_CONFIG="$folder/named.cfg" gusset status
says "by its path" "$out" "no state yet at $folder/named"

done_testing
