#!/bin/bash
# Circuits that agents share through a real Redis: what opens on one machine opens on the other and closes with it; and that
# neither a Redis nor an agent that ends, nor what others write there, does any harm.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
. "$(dirname "$0")/agents.sh"
if ! command -v redis-server >/dev/null || ! command -v redis-cli >/dev/null; then
    skip "circuits shared between machines" "redis-server or redis-tools is not installed"
    done_testing
fi
start_upstream
export GUSSET_CONFIG=$folder/gusset.cfg
config "$GUSSET_CONFIG" <<'CFG'
policies: { shared: { breaker: { consecutive = 2; open = "30s"; rate: { window = "1s"; }; }; }; };
hosts = ( { match = "api.test"; policy = "shared"; } );
CFG

# Two machines are two states; the name api.test leads nowhere on the one and to the server on the other.
redis_port=$(free_port)
start_redis() {
    redis-server --port "$redis_port" --bind 127.0.0.1 --save '' --requirepass 'se:cret%' --dir "$folder" >"$folder/redis.log" &
    redis=$!
    servers+=("$redis")
    until_true redis 'PING'
}
export REDISCLI_AUTH='se:cret%'
redis() { redis-cli -p "$redis_port" "$@"; }
on() { GUSSET_STATE=$folder/machine-$1 "${@:2}"; }
call() { on "$1" gusset run -- curl -s --resolve "api.test:$port:$2" "http://api.test:$port/?x" -o /dev/null; }
# circuit MACHINE: "closed", "open", or "open elsewhere"
circuit() {
    on "$1" gusset status --json | sed -n 's/.*"host":"api.test[^}]*"circuit":"\([a-z ]*\)".*"elsewhere":\(true\|false\).*/\1 \2/p' |
        sed 's/ false//; s/true/elsewhere/'
}
is_circuit() { [ "$(circuit "$1")" = "$2" ]; }
start_redis
echo "redis://:se%3acret%25@127.0.0.1:$redis_port/3" >"$folder/url"
chmod 600 "$folder/url"
exits "a URL that is none" 1 gusset agent --redis 'http://:se:cret@127.0.0.1'
is_silent "is not repeated" "$err" 'cret'
exits "an unset variable" 1 gusset agent --redis '${NO_SUCH_URL}'
says "is named" "$err" 'NO_SUCH_URL'
exits "a namespace that is none" 1 gusset agent --redis redis://127.0.0.1 --namespace 'a b'
call 1 127.0.0.1
call 2 127.0.0.1
sleep 0.25 # the window of the rule, twice a slice: its call that went well is past
for machine in 1 2; do
    [ $machine = 1 ] || under=("${memcheck[@]}")
    GUSSET_STATE=$folder/machine-$machine start_agent "machine-$machine.log" --redis '${file:'"$folder/url}" --listen 0
    agents[machine]=$agent urls[machine]=$url
    until_true has "$folder/machine-$machine.log" 'circuits are shared'
done
is "both are connected" "$(curl -s "${urls[1]}health" "${urls[2]}health" | grep -c '"sharing":"connected"')" 2
is_silent "the password stands in no log, page or command line" "$(cat "$folder"/machine-*.log; curl -s "${urls[1]}"; tr '\0' ' ' <"/proc/${agents[1]}/cmdline")" 'cret'
for _ in 1 2; do call 1 127.0.0.2; done # nobody listens there
is "it opens on one machine" "$(circuit 1)" open
ok "and on the other" until_true is_circuit 2 "open elsewhere"
exits "where calls are refused" 7 call 2 127.0.0.1
says "status says why" "$(on 2 gusset status)" 'open as elsewhere, probe in'
says "so does an event" "$(on 2 gusset events)" 'followed .*api.test:[0-9]+ .*open on another machine'
is "once" "$(on 2 gusset events | grep -c followed)" 1
on 1 gusset reset api.test >/dev/null
ok "it closes with the first" until_true is_circuit 2 closed
exits "and calls go on" 0 call 2 127.0.0.1
says "which is an event, too" "$(on 2 gusset events)" 'released .*closed on the other machine'
is "nothing goes in circles" "$(grep -c event=followed "$folder/machine-1.log")" 0

# Two agents on one state: what the one said of it a moment ago is no news to the other.
GUSSET_STATE=$folder/machine-1 start_agent beside.log --redis '${file:'"$folder/url}"
until_true has "$folder/beside.log" 'circuits are shared'
both_say() { # WORD
    local key
    for key in $(redis -n 3 KEYS 'gusset:{default}:agent:*'); do redis -n 3 GET "$key"; done | grep -c "^$1 hand .*api.test" | grep -qx 2
}
on 1 gusset trip "api.test:$port" >/dev/null
ok "two agents tell of one state" until_true both_say open
on 1 gusset reset >/dev/null
ok "that it has closed, too" until_true both_say closed
is "and neither believes the other what it said before" "$(cat "$folder/machine-1.log" "$folder/beside.log" | grep -c event=followed)" 0
end_agent
ok "the second machine has heard of it" until_true is_circuit 2 closed

# A Redis that greets and then refuses is no Redis that is there.
redis ACL SETUSER some on '>cret' '~*' +auth +ping +select >/dev/null
start_agent refused.log --redis "redis://some:cret@127.0.0.1:$redis_port/3"
ok "a Redis that refuses is away" until_true has "$folder/refused.log" 'reason="it refuses: NOPERM"'
redis ACL SETUSER some +@all >/dev/null
ok "and there when it does not any more" until_true has "$folder/refused.log" 'circuits are shared'
is "which is told once" "$(grep -c event=redis "$folder/refused.log")" 2
end_agent

sleep 0.25
on 1 gusset trip "api.test:$port" >/dev/null
ok "what is tripped on one is open on both" until_true is_circuit 2 "open elsewhere"
on 2 gusset reset >/dev/null # and stays so, as is seen below

# Somebody else's text: what is damaged says nothing, what is well formed is believed of known hosts alone.
says_other() {
    printf '%b' "$1" | redis -n 3 -x SET 'gusset:{default}:agent:other' >/dev/null
    redis -n 3 SADD 'gusset:{default}:agents' other '../x y' "$(printf '%0400d' 0)" >/dev/null
}
redis -n 3 LPUSH 'gusset:{default}:agent:list' x >/dev/null
redis -n 3 SADD 'gusset:{default}:agents' list >/dev/null
says_other "gusset 1\nopen failures zz 1 api.test:$port shared\nopen\nopen failures 1 99999999999 api.test:$port shared\nopen hand 1 5000 evil.example:443 shared\n\xff\x00\n$(head -c 30000 /dev/zero | tr '\0' A)\nopen hand 2 5000 api.test:$port shared\n"
sleep 2.5 # two turns
is "who is reset by hand stays so" "$(circuit 2)" closed
is "damaged values, and hosts that are not known, change nothing" "$(on 2 gusset status --json | grep -c evil)" 0
on 1 gusset reset >/dev/null
says_other "gusset 1\nbogus\nopen hand 00000000000000aa 60000 api.test:$port shared\n"
ok "a good line among bad ones holds" until_true is_circuit 2 "open elsewhere"
redis FLUSHALL >/dev/null
at_most "for a few seconds at a time" "$(on 2 gusset status --json | sed -n 's/.*"probe_in_ms":\([0-9]*\).*/\1/p')" 5500
says_other "gusset 1\nclosed hand 00000000000000aa 0 api.test:$port shared\n"
are_closed() { is_circuit 1 closed && is_circuit 2 closed; } # both have heard of it, each at a moment of its own
ok "until it closes" until_true are_closed
redis FLUSHALL >/dev/null

# Redis goes and comes back; an agent is killed.
kill -KILL "$redis"
wait "$redis" 2>/dev/null
ok "a Redis that goes is told of" until_true has "$folder/machine-2.log" 'the Redis is away'
exits "and changes nothing" 0 call 2 127.0.0.1
is "/health is well all the same" "$(curl -s "${urls[2]}health" | grep -o '"status":"ok".*"sharing":"[a-z]*"' | grep -o away)" away
start_redis
both_share() { [ "$(cat "$folder"/machine-[12].log | grep -c 'circuits are shared$\|circuits are shared"$')" -ge 4 ]; }
ok "it comes back" until_true both_share
for _ in 1 2; do call 1 127.0.0.2; done
ok "and circuits are shared again" until_true is_circuit 2 "open elsewhere"
kill -KILL "${agents[1]}"
wait "${agents[1]}" 2>/dev/null
at_most "an agent that is killed leaves a text that ends by itself" "$(redis -n 3 PTTL "$(redis -n 3 KEYS 'gusset:{default}:agent:*' | head -n 1)")" 4000
is_free() { call 2 127.0.0.1; }
ok "and nothing sticks" until_true is_free
agent=${agents[2]}
end_agent
is "SIGTERM ends the other, and memcheck has found nothing" $? 0
kill "$redis"

done_testing
