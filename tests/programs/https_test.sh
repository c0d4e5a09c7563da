#!/bin/bash
# The server that misbehaves behind TLS, by OpenSSL (curl) and by GnuTLS (perl's WWW::Curl): what fails before a byte has
# reached the program is tried again; a handshake that fails is of its own type; a certificate that is wrong is never tried
# again and opens nothing.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
if ! command -v openssl >/dev/null || ! command -v stunnel >/dev/null; then
    skip "calls over TLS are rescued" "openssl or stunnel4 is not installed"
    done_testing
fi
certificate good IP:127.0.0.1 && certificate wrong DNS:elsewhere.example
start_tls good "$port" || fail "a TLS server is there"
secure=https://127.0.0.1:$tls good=$tls
printf 'hello upload\n' >"$folder/up.txt"
export CURL_CA_BUNDLE=$folder/authority.crt

cat >"$folder/fetch.pl" <<'PERL'
use WWW::Curl::Easy;
my ($url, $authority) = @ARGV;
my ($body, $curl) = ('', WWW::Curl::Easy->new);
open(my $to_body, '>', \$body);
$curl->setopt(CURLOPT_URL, $url);
$curl->setopt(CURLOPT_CAINFO, $authority);
$curl->setopt(CURLOPT_WRITEDATA, $to_body);
my $code = $curl->perform;
print $body, "status ", $curl->getinfo(CURLINFO_HTTP_CODE), "\n";
exit $code;
PERL
rescued() {
    timeout 30 gusset run --policy standard --set retry.attempts=5 --set retry.budget.ratio=100 --set retry.backoff.base=2ms \
        --set retry.methods=GET,HEAD,PUT,POST --set breaker.consecutive=20 "$@"
}
# The programs; each is given a URL with a query.
get() { rescued -- curl -sS "$1&body=9000"; }
include() { rescued -- curl -sSi "$1&cookie=z"; }
upload() { rescued -- curl -sS -T "$folder/up.txt" "$1&echo=body"; }
post() { rescued -- curl -sS -d a=b "$1&echo=body"; }
parallel() { rescued -- curl -sSZ "$1&body=300" "$1&body=300" "$1&body=300" 2>/dev/null; }
gnutls() { rescued -- perl "$folder/fetch.pl" "$1&body=300" "$folder/authority.crt"; }
programs=(get include upload post parallel)
if perl -MWWW::Curl::Easy -e 1 2>/dev/null; then
    programs+=(gnutls)
else
    skip "perl WWW::Curl is rescued over TLS" "libwww-curl-perl is not installed"
fi

is "bare curl speaks with it" "$(curl -s "$secure/")" ok
total=0 good_ends=0 seed=0
for how in status reset mixed; do
    for program in "${programs[@]}"; do
        seed=$((seed + 1))
        wanted=$($program "$secure/x?key=healthy")
        for _ in 1 2 3 4 5 6; do
            total=$((total + 1))
            got=$($program "$secure/x?key=$program$how&fail=30&seed=$seed&how=$how" 2>&1)
            if [ "$got" = "$wanted" ]; then
                good_ends=$((good_ends + 1))
            else
                echo "# $program $how: ${got:0:200}"
            fi
        done
    done
done
at_least "of $total calls over TLS, 30 % of whose requests fail, 98 % end as with a healthy server, per cent" $((good_ends * 100 / total)) 98

for fault in status=503 reset=headers close=headers; do
    forget
    is "$fault, then well: one call, three requests" "$(rescued -- curl -s "$secure/f?$fault&first=2&key=f") $(ask 'count?key=f') $(counted calls) $(counted rescued)" "ok 3 1 1"
done
forget
is "a stall is cut short and tried again" "$(rescued --set timeout.attempt=300ms -- curl -s "$secure/s?stall=headers&for=5000&first=1")" ok
head -c 500000 /dev/urandom >"$folder/big"
forget
rescued -- curl -sS -T "$folder/big" "$secure/u?echo=body&status=503&first=1" >"$folder/got"
ok "an upload of 500 kB is sent again, whole" cmp "$folder/got" "$folder/big"

# A body that breaks off has reached the program: curl says so as bare. (By FIN: a reset overtakes bytes within the proxy.)
curl -s -o "$folder/1" "$secure/?close=body&body=5000"
wanted=$?
rescued -- curl -s -o "$folder/2" "$secure/?close=body&body=5000"
is "a body that breaks off ends as bare" "$? $(cmp "$folder/1" "$folder/2" 2>&1)" "$wanted "

# ---- the handshake fails ----
# A handshake that the peer refuses or breaks off is of type tls, which a rule may list. Nothing of a request was sent.
for way in reset-first alert-first cut-first; do
    start_relay $way 2 "$good" || fail "a relay is there"
    forget
    bare=$(curl -s "https://127.0.0.1:$relay/" >/dev/null; echo $?)
    is "$way: bare it fails" "$bare" 35
    rescued --set breaker.consecutive=2 -- curl -s "https://127.0.0.1:$relay/" >/dev/null
    is "$way: by the built-in list it is not tried again, as it is no reset of a request" "$? $(counted attempts)" "35 1"
    start_relay $way 2 "$good"
    forget
    is "$way: by a rule that lists tls it is" \
        "$(rescued --set retry.on=tls,connect -- curl -s -d a=b "https://127.0.0.1:$relay/?echo=body") $(counted attempts)" "a=b 3"
    start_relay $way 2 "$good"
    forget
    is "$way: also where the method may not be repeated, as nothing was sent" \
        "$(rescued --set retry.on=tls --set retry.methods=GET -- curl -s -d a=b "https://127.0.0.1:$relay/?echo=body")" "a=b"
done

# ---- the certificate is wrong ----
start_tls wrong "$port"
for try in "" "--insecure"; do
    forget
    codes=
    for _ in 1 2 3 4 5 6 7; do
        # shellcheck disable=SC2086 # a word or none
        gusset run --policy standard --set retry.backoff.base=2ms -- curl -s -o /dev/null $try "https://127.0.0.1:$tls/"
        codes+="$? "
    done
    if [ "$try" ]; then
        is "a program that does not look at certificates is served" "$codes" "0 0 0 0 0 0 0 "
    else
        is "a certificate for another host: each call ends as bare" "$codes" "60 60 60 60 60 60 60 "
        is "is tried once a call, and opens no circuit" "$(counted attempts) $(counted opened) $(counted rejected)" "7 0 0"
    fi
done
forget
for _ in 1 2 3 4 5 6 7; do gusset run --policy standard -- curl -s -o /dev/null --cacert "$folder/wrong.crt" "$secure/"; done
is "an authority that does not know the host: no failure opens a circuit for others" "$(gusset run -- curl -s "$secure/") $(counted opened)" "ok 0"
forget
for _ in 1 2 3 4 5 6 7; do gusset run --policy standard -- curl -s -o /dev/null --cacert "$folder/none.crt" "$secure/"; done
is "a missing CA file counts as local: no failure" "$(counted failures) $(counted opened)" "0 0"
forget
for _ in 1 2 3 4 5 6 7; do gusset run --policy standard -- curl -s -o /dev/null --tls-max 1.2 --ciphers NULL-SHA256 "$secure/"; done
is "ciphers of the program's own that the server does not have open nothing" "$(gusset run -- curl -s "$secure/")" ok

done_testing
