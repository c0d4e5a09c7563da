#!/bin/bash
# Health checks of services, against real servers: when they are healthy, degraded and unhealthy, what the circuits learn of it,
# and that checks of several runs count together.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
first=$port closed=$(free_port)
: >"$folder/second"
"$BUILD/upstream" --daemon --quiet >>"$folder/second" &
servers+=($!)
until [ "$(wc -l <"$folder/second")" -ge 2 ]; do sleep 0.02; done
second=$(awk '$1 == "port" {print $2}' "$folder/second") second_control=127.0.0.1:$(awk '$1 == "control" {print $2}' "$folder/second")
config "$folder/services.cfg" <<CFG
services = (
  { name = "user-service"; url = "http://127.0.0.1:$first"; policy = "quick";
    health: { path = "/health"; interval = "10s"; timeout = "2s"; failures = 3; }; },
  { name = "orders"; urls = ["http://127.0.0.1:$first", "http://127.0.0.1:$second"]; policy = "quick";
    health: { path = "/ready"; interval = "1s"; timeout = "300ms"; failures = 1; }; },
  { name = "database"; url = "tcp://127.0.0.1:$first"; health: { type = "tcp"; }; },
  { name = "nobody"; url = "tcp://127.0.0.1:$closed"; health: { type = "tcp"; failures = 2; }; },
  { name = "unchecked"; url = "http://127.0.0.1:$first"; }
);
CFG
export GUSSET_CONFIG=$folder/services.cfg
row() { sed -n "s/^$1 *//p" <<<"$out"; }

exits "a service that is well" 0 gusset health user-service
says "is HEALTHY" "$(row user-service)" "^127.0.0.1:$first +HEALTHY .* -$"
is "it was asked once, for its path" "$(ask 'count?key=/health')" 1
is "by a name that says who asks" "$(ask 'last?key=/health' | grep -ci '^user-agent: gusset-health/')" 1
ask 'outage?for=0&status=503' >/dev/null
exits "one failure" 1 gusset health user-service
says "is DEGRADED, and says which" "$(row user-service)" 'DEGRADED .*server_error: status 503, 1 of 3$'
gusset run -- curl -s http://user-service/ >/dev/null
gusset health user-service >/dev/null
exits "the third in a row, in a run of its own" 2 gusset health user-service
says "is UNHEALTHY" "$(row user-service)" 'UNHEALTHY .*3 of 3$'
says "and an event" "$(gusset events)" 'unhealthy +user-service:80 +health checks fail; circuit open for'
ask up >/dev/null
ask zero >/dev/null
exits "calls to it are refused" 7 gusset run -- curl -s http://user-service/
is "without a request" "$(ask total)" 0
exits "--look sees it come back" 0 gusset health --look user-service
exits "but a circuit is still open" 0 gusset status user-service
says "as it was" "$out" 'circuit +open'
ask 'outage?for=0&status=503' >/dev/null
for _ in 1 2 3; do gusset health user-service >/dev/null; done
ask up >/dev/null
exits "a check that goes well again" 0 gusset health user-service
says "tells what it was" "$(row user-service)" 'HEALTHY .*was server_error: status 503'
is "and closes the circuit" "$(gusset run -- curl -s http://user-service/)" ok
gusset trip user-service:80 >/dev/null
gusset health user-service >/dev/null
exits "what was opened by hand until reset stays open" 7 gusset run -- curl -s http://user-service/
gusset reset >/dev/null

exits "of two addresses both well" 0 gusset health orders
is "each is checked" "$(grep -c '^orders .*HEALTHY' <<<"$out")" 2
curl -s "http://$second_control/mode?stall=headers" >/dev/null
exits "with one that is silent" 1 gusset health orders
says "this one is unhealthy" "$out" "^orders +127.0.0.1:$second +UNHEALTHY .*timeout: "
ask 'down?for=0' >/dev/null
exits "with none" 2 gusset health orders
says "refused by the other" "$out" "^orders +127.0.0.1:$first +UNHEALTHY .*connect: "
ask up >/dev/null
curl -s "http://$second_control/mode" >/dev/null

exits "a tcp check of who listens" 0 gusset health database
exits "and of who does not" 1 gusset health nobody
exits "twice" 2 gusset health nobody
if command -v stunnel >/dev/null && certificate good IP:127.0.0.1 && certificate wrong DNS:elsewhere.example &&
    start_tls good "$first" && good=$tls && start_tls wrong "$first"; then
    config "$folder/tls.cfg" <<CFG
services = ( { name = "good"; url = "https://127.0.0.1:$good"; health: { type = "tls"; failures = 1; }; },
             { name = "wrong"; url = "https://127.0.0.1:$tls"; health: { type = "tls"; failures = 1; }; },
             { name = "page"; url = "https://127.0.0.1:$good"; health = "/health"; } );
CFG
    export CURL_CA_BUNDLE=$folder/authority.crt
    exits "a handshake that goes well" 0 gusset health --config "$folder/tls.cfg" good page
    exits "and one whose certificate is another's" 2 gusset health --config "$folder/tls.cfg" wrong
    says "told as that" "$(row wrong)" 'UNHEALTHY .*tls: '
else
    skip "tls checks" "openssl or stunnel4 is not installed"
fi

fits "health --json" health "$(gusset health --json)"
is "has the states" "$(field "$(gusset health --json)" '[(s["name"], s["state"]) for s in d["services"]]')" \
    "[('user-service', 'HEALTHY'), ('orders', 'HEALTHY'), ('database', 'HEALTHY'), ('nobody', 'UNHEALTHY')]"
is "status does not show what checks remember" "$(gusset status | grep -c health)" 0
says "metrics tell the state of each address" "$(gusset metrics)" "^gusset_service_health\\{service=\"nobody\",address=\"127.0.0.1:$closed\",state=\"UNHEALTHY\"\\} 1$"
how_long() { field "$(gusset health --json nobody)" '[(a["since"], a["for_ms"]) for s in d["services"] for a in s["addresses"]][0]'"[$1]"; }
since=$(how_long 0)
sleep 0.3
is "how long it has been so is told, from when it began" "$(how_long 0)" "$since"
at_least "until now" "$(how_long 1)" 300
ask zero >/dev/null
timeout 2.6 gusset health --watch user-service orders >/dev/null
is "--watch checks a service by its own interval, one of ten seconds once" "$(ask 'count?key=/health')" 1
at_least "and one of a second each second" "$(ask 'count?key=/ready')" 2
at_least "--watch checks again and again" \
    "$(timeout 1 gusset health --watch 0.2 --json | grep -c HEALTHY)" 3
exits "a service that there is not" 125 gusset health bogus
says "is named, and what to do" "$err" 'no service bogus; `gusset services`'
exits "one without a check" 125 gusset health unchecked
says "likewise" "$err" 'unchecked has no health check'
exits "no service at all" 125 env GUSSET_CONFIG= gusset health
is "who completes is told the services" "$(gusset completion --list services | xargs)" "user-service orders database nobody unchecked"

done_testing
