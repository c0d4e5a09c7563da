#!/bin/bash
# Headers that gusset adds: they arrive, the same over all attempts of a call; the program's own win unless the rule says
# otherwise; none reaches another origin by a redirect; none can be smuggled in by a line break.
. "$(dirname "$0")/lib.sh"
start_upstream
other=$port other_control=$control
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/callbacks
echo from-a-file >"$folder/key"
export API_KEY=from-the-environment

rule() {
    config "$folder/gusset.cfg" <<CFG
version = 1;
policies: {
  p: {
    extends = "standard";
    retry: { attempts = 4; backoff: { base = "5ms"; }; budget: { ratio = 100; }; };
    breaker: { consecutive = 1000; rate: { minimum = 1000; }; };
    propagate = ["request_id", "tenant_id", "project_id", "traceparent"];
    headers = ( { name = "X-Literal"; value = "as it stands"; },
                { name = "X-Env"; value = "Bearer \${API_KEY}"; },
                { name = "X-File"; value = "\${file:$folder/key}"; override = true; },
                { name = "X-Empty"; value = "\${NO_SUCH_VARIABLE:-}"; }
                $2 );
  };
};
hosts = ( { match = "$1"; policy = "p"; } );
CFG
    export GUSSET_CONFIG=$folder/gusset.cfg
}
rule "*" ""
heads() { ask "heads?key=$1" | tr -d '\r'; }
header() { heads "$1" | grep -i "^$2: " | cut -d ' ' -f 2-; }
injected='^(x-request-id|x-tenant-id|x-project-id|traceparent|x-literal|x-env|x-file|x-empty)'

gusset run --tenant t1 --project p1 -- curl -s -o /dev/null "$url/?key=plain"
is "the tenant's id arrives" "$(header plain X-Tenant-Id)" t1
is "the project's id arrives" "$(header plain X-Project-Id)" p1
ok "a request id is made" grep -qE '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' <<<"$(header plain X-Request-Id)"
ok "a traceparent is made" grep -qE '^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$' <<<"$(header plain traceparent)"
is "a literal value arrives" "$(header plain X-Literal)" "as it stands"
is "one from the environment" "$(header plain X-Env)" "Bearer from-the-environment"
is "one from a file" "$(header plain X-File)" from-a-file
is "an empty value is no header" "$(heads plain | grep -ci x-empty)" 0
is "each is there once" "$(heads plain | grep -cE -i "$injected")" 7
gusset run -- curl -s -o /dev/null "$url/?key=none"
is "without a tenant and a project there are no such headers" "$(heads none | grep -ciE '^x-(tenant|project)-id')" 0
gusset run --request-id order-7 -- curl -s -o /dev/null "$url/?key=given"
is "a request id that was given arrives" "$(header given X-Request-Id)" order-7
GUSSET_REQUEST_ID=order-8 LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/?key=plainly"
is "by the environment alone as well" "$(header plainly X-Request-Id)" order-8

# ---- over attempts ----
parent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
TRACEPARENT=$parent gusset run -- curl -s -o /dev/null "$url/?key=again&status=503&first=2"
is "the request id stays the same over three attempts" "$(header again X-Request-Id | wc -l) $(header again X-Request-Id | sort -u | wc -l)" "3 1"
is "the trace of \$TRACEPARENT goes on" "$(header again traceparent | cut -d - -f 1,2,4 | sort | uniq -c | xargs)" "3 00-0af7651916cd43dd8448eb211c80319c-01"
is "with a span for each attempt, none the parent's" "$(header again traceparent | cut -d - -f 3 | grep -v b7ad6b7169203331 | sort -u | wc -l)" 3
gusset run -- curl -s -o /dev/null "$url/?key=two" -o /dev/null "$url/?key=two"
is "another call has another id" "$(header two X-Request-Id | sort -u | wc -l)" 2
TRACEPARENT=cc${parent#00}-and-more gusset run -- curl -s -o /dev/null "$url/?key=later"
TRACEPARENT=cc${parent#00} gusset run -- curl -s -o /dev/null "$url/?key=later"
TRACEPARENT=cc${parent:2:51}fe gusset run -- curl -s -o /dev/null "$url/?key=later"
is "that of a later version goes on as one of ours" "$(header later traceparent | cut -d - -f 1,2,4 | sort | uniq -c | xargs)" \
    "1 00-0af7651916cd43dd8448eb211c80319c-00 2 00-0af7651916cd43dd8448eb211c80319c-01"
for wrong in nonsense "00-00000000000000000000000000000000-b7ad6b7169203331-01" "$parent"$'\r\nX-Evil: 1' \
    "ff${parent#00}" "$parent-more" "cc${parent#00}more"; do
    ask zero >/dev/null
    TRACEPARENT=$wrong gusset run -- curl -s -o /dev/null "$url/?key=wrong"
    is "a TRACEPARENT that is none begins a new trace: ${wrong:0:30}" "$(header wrong traceparent | grep -cE '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$') \
$(header wrong traceparent | grep -c 0af76) $(heads wrong | grep -ci evil)" "1 0 0"
done

# ---- tracestate: W3C Trace Context, 3.3: it goes with the traceparent that it came with ----
state=congo=t61rcWkgMzE,rojo=00f067aa0ba902b7
TRACESTATE=$state TRACEPARENT=$parent gusset run -- curl -s -o /dev/null "$url/?key=state&status=503&first=1"
is "\$TRACESTATE travels with the trace, in each attempt" "$(header state tracestate | xargs)" "$state $state"
TRACESTATE=$state gusset run -- curl -s -o /dev/null "$url/?key=alone"
TRACESTATE=$state TRACEPARENT=nonsense gusset run -- curl -s -o /dev/null "$url/?key=alone"
is "a trace that begins here has none" "$(header alone traceparent | wc -l) $(heads alone | grep -ci tracestate)" "2 0"
TRACESTATE=$state TRACEPARENT=$parent gusset run -- curl -s -o /dev/null -H 'tracestate: mine=1' "$url/?key=mystate"
is "the program's own wins" "$(header mystate tracestate)" "mine=1"
TRACESTATE=$state TRACEPARENT=$parent gusset run -- curl -s -o /dev/null -H "traceparent: $parent" "$url/?key=myparent"
is "and to the program's own trace none is added" "$(header myparent traceparent) $(heads myparent | grep -ci tracestate)" "$parent 0"
for wrong in $'a=1\r\nX-Evil: 1' $'a=\t1' '' '  '; do
    ask zero >/dev/null
    TRACESTATE=$wrong TRACEPARENT=$parent gusset run -- curl -s -o /dev/null "$url/?key=wrongstate"
    is "one that is none is not sent: $(printf %q "$wrong")" "$(header wrongstate traceparent | wc -l) $(heads wrongstate | grep -ciE 'evil|tracestate')" "1 0"
done
long=$(for i in $(seq 20); do printf 'k%02d=%040d,' "$i" "$i"; done)
TRACESTATE=${long%,} TRACEPARENT=$parent gusset run -- curl -s -o /dev/null "$url/?key=long"
is "of one that is too long the last members are left out, whole" "$(header long tracestate)" "$(cut -d , -f 1-11 <<<"$long")"

# ---- the program's own ----
gusset run --tenant t1 -- curl -s -o /dev/null -H 'x-request-id: mine' -H 'X-Env: mine' -H 'X-FILE: mine' -H 'X-Tenant-Id:' \
    -H 'x-literal;' -H 'X-Other: mine' "$url/?key=own"
is "the program's header of the same name wins" "$(header own X-Request-Id) $(header own X-Env)" "mine mine"
is "also where it says that there shall be none, or an empty one" "$(heads own | grep -i -e '^x-tenant' -e '^x-literal')" "x-literal:"
is "unless the rule overrides it" "$(header own X-File)" from-a-file
is "its others go with it" "$(header own X-Other)" mine
"$client" "$url/?key=client" "header=X-File: mine" repeat=2 >/dev/null
LD_PRELOAD=$BUILD/libgusset.so "$client" "$url/?key=client&status=503&first=1" 'header=X-File: mine' 'header=X-Other: 1' repeat=2 dup >/dev/null
is "a program's own list is whole after each call, and in a duplicate" "$(header client X-File | sort | uniq -c | xargs) $(header client X-Other | wc -l)" \
    "3 from-a-file 2 mine 3"

rule "*" ', { name = "x-request-id"; value = "of-the-rule"; }, { name = "X-Tenant-Id"; value = "${NO_SUCH_VARIABLE:-}"; }'
gusset run --tenant t1 -- curl -s -o /dev/null "$url/?key=twice"
is "what the rule's own list names is not propagated beside it, unless it is left out there" \
    "$(header twice X-Request-Id) $(header twice X-Tenant-Id)" "of-the-rule t1"
rule "*" ""

# ---- redirects ----
to() {
    local text=$1
    text=${text//%/%25}
    text=${text//\?/%3F}
    text=${text//&/%26}
    echo "redirect=${text//=/%3D}"
}
leaked() { command curl -s "http://$other_control/heads?key=$1" | grep -ciE "$injected"; }
arrived() { command curl -s "http://$other_control/count?key=$1"; }
b=http://127.0.0.1:$other
for match in "*" "127.0.0.1:$port"; do
    rule "$match" ""
    ask zero >/dev/null
    command curl -s "http://$other_control/zero" >/dev/null
    gusset run --tenant t1 -- curl -s -L -o /dev/null -H 'X-Mine: 1' "$url/?key=a1&$(to "$b/?key=b1")"
    TRACESTATE=$state TRACEPARENT=$parent gusset run -- curl -s -L -o /dev/null "$url/?key=s1&$(to "$b/?key=s2")"
    is "$match: nor does a tracestate reach another origin" "$(header s1 tracestate) $(command curl -s "http://$other_control/heads?key=s2" | grep -ci tracestate)" "$state 0"
    is "$match: at another port after a redirect nothing arrives" "$(arrived b1) $(leaked b1)" "1 0"
    is "$match: but what the program itself sends" "$(command curl -s "http://$other_control/heads?key=b1" | grep -c X-Mine)" 1
    gusset run --tenant t1 -- curl -s -L -o /dev/null "$url/?key=a2&$(to "$b/?key=b2&$(to "$url/?key=a3")")"
    is "$match: there and back again: nothing there" "$(arrived b2) $(leaked b2)" "1 0"
    is "$match: there and back again: all of it back" "$(heads a2 | grep -ciE "$injected") $(heads a3 | grep -ciE "$injected")" "6 6"
    is "$match: and the same id" "$(header a3 X-Request-Id)" "$(header a2 X-Request-Id)"
    gusset run --tenant t1 -- curl -s -L -o /dev/null "$url/?key=a4&$(to "http://localhost:$port/?key=a5")"
    is "$match: another name of the same server is another origin" "$(heads a4 | grep -ciE "$injected") $(heads a5 | grep -ciE "$injected")" "6 0"
    gusset run --tenant t1 -- curl -s -L -o /dev/null "$url/?key=a6&$(to "$url/?key=a7")"
    is "$match: another page of it is not" "$(heads a7 | grep -ciE "$injected")" 6
    gusset run --tenant t1 -- curl -s -L -o /dev/null "$url/?key=a8&$(to "$b/?key=b8&status=503&first=2")"
    is "$match: nothing arrives by the retries either" "$(arrived b8) $(leaked b8) $(ask 'count?key=a8')" "3 0 3"
    gusset run -- curl -s -L -o /dev/null "$url/?key=a9&$(to "$b/?key=b9")" -o /dev/null "$url/?key=a9"
    is "$match: a call after it carries them again" "$(heads a9 | grep -ciE '^x-file')" 2
done
gusset run -- curl -s -o /dev/null -p -x "$url" http://127.0.0.1:9/
is "a proxy learns none from CONNECT" "$(ask total) $(ask 'last?key=127.0.0.1:9' | grep -ciE "$injected")" "$(ask total) 0"

# ---- line breaks ----
unwrapped() {
    text=$(gusset run -- curl -s "$url/?key=break" 2>&1)
    text+=$(LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/?key=break" 2>&1)
    ask 'heads?key=break' | grep -ci evil
}
for value in 'a\r\nX-Evil: 1' 'a\nX-Evil: 1' 'a\rX-Evil: 1'; do
    rule "*" ", { name = \"X-Bad\"; value = \"$value\"; }"
    gusset check >"$folder/out" 2>&1
    is "a value with ${value:1:4} is refused at load" "$?" 1
    ok "with the line that it stands on" grep -qE 'gusset.cfg:[0-9]+: ' "$folder/out"
    is "and sent nowhere" "$(unwrapped)" 0
done
rule "*" ', { name = "X-Bad\r\nX-Evil"; value = "1"; }'
gusset check >/dev/null 2>&1
is "so is such a name" "$? $(unwrapped)" "1 0"
# ---- what frames a message: with Content-Length: 5 on a GET the server waited for a body that never came ----
rule "127.0.0.1" ', { name = "Content-Length"; value = "5"; }'
exits "a rule that sets Content-Length is refused" 1 gusset check
says "with the line that it stands on" "$out" 'gusset.cfg:[0-9]+: headers: name: found "Content-Length"'
is "and the program goes on without" "$(LD_PRELOAD=$BUILD/libgusset.so curl -s -m 5 "$url/?key=framed" 2>/dev/null) $(heads framed | grep -ciE "^content-length|$injected")" "ok 0"
rule "127.0.0.1" ', { name = "Host"; value = "site.example"; }'
gusset run -- curl -s -L -o /dev/null "$url/?key=h1&$(to "$b/?key=h2")"
gusset run -- curl -s -o /dev/null -H 'Host: mine.example' "$url/?key=h3"
is "a rule for an address may say which of its sites is meant, there alone, and the program's own wins" \
    "$(header h1 Host) $(command curl -s "http://$other_control/heads?key=h2" | tr -d '\r' | grep -i '^host:') $(header h3 Host)" \
    "site.example Host: 127.0.0.1:$other mine.example"

rule "*" ""
ask zero >/dev/null
API_KEY=$'a\r\nX-Evil: 1' LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/?key=break" 2>"$folder/err"
is "nor does one from the environment get through" "$? $(ask 'count?key=break') $(heads break | grep -ci evil)" "0 1 0"
is "which is told, in one line" "$(wc -l <"$folder/err")" 1
printf 'a\rX-Evil: 1\n' >"$folder/key"
ask zero >/dev/null
LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/?key=break" 2>"$folder/err"
is "nor one from a file" "$? $(ask 'count?key=break') $(heads break | grep -ci evil)" "0 1 0"
echo from-a-file >"$folder/key"
for variable in GUSSET_REQUEST_ID GUSSET_TENANT_ID GUSSET_PROJECT_ID; do
    ask zero >/dev/null
    env "$variable"=$'a\r\nX-Evil: 1' LD_PRELOAD="$BUILD/libgusset.so" curl -s -o /dev/null "$url/?key=break" 2>"$folder/err"
    is "nor one in $variable" "$? $(ask 'count?key=break') $(heads break | grep -ci evil)" "0 1 0"
done
gusset run --tenant $'a\nX-Evil: 1' -- true 2>/dev/null
is "run --tenant refuses one" "$?" 125

# ---- CGI ----
rule "*" ', { name = "X-Cgi"; value = "${HTTP_PROXY_KEY:-}"; }'
HTTP_PROXY_KEY=clients LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/?key=shell"
HTTP_PROXY_KEY=clients GATEWAY_INTERFACE=CGI/1.1 LD_PRELOAD=$BUILD/libgusset.so curl -s -o /dev/null "$url/?key=cgi"
is "under CGI no variable that a client chose is expanded" "$(header shell X-Cgi) $(ask 'count?key=cgi') $(header cgi X-Cgi)" "clients 1 "

done_testing
