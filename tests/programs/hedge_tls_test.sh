#!/bin/bash
# A second attempt side by side (hedge) over TLS: its reply comes to the program by plain http, which nothing that libcurl knows of the
# host may turn into TLS again.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
if ! command -v openssl >/dev/null || ! command -v nginx >/dev/null; then
    skip "a second attempt over TLS" "openssl or nginx is not installed"
    done_testing
fi
certificate good DNS:localhost
start_nginx hsts <<CFG
    server {
        listen 127.0.0.1:WEB ssl http2;
        ssl_certificate $folder/good.crt;
        ssl_certificate_key $folder/good.key;
        location / { proxy_pass http://127.0.0.1:$port; add_header Strict-Transport-Security "max-age=600"; }
    }
CFG
export CURL_CA_BUNDLE=$folder/authority.crt
config "$folder/p.cfg" <<'CFG'
version = 1;
policies: { p: { hedge: { after = "100ms"; }; }; };
hosts = ( { match = "localhost"; policy = "p"; } );
CFG
# curl's transfers share what they learn of hosts: from the second on it is known that this one speaks TLS.
for way in "" --http1.1 -Z; do
    forget
    # shellcheck disable=SC2086 # words
    got=$(timeout 20 gusset run --config "$folder/p.cfg" -- curl -s $way -m 5 "https://localhost:$web/first?body=300" --next -s $way -m 5 \
        "https://localhost:$web/x?stall=headers&first=1&key=k$way&body=900" 2>/dev/null | wc -c)
    is "of a host that wants TLS (curl $way)" "$got $(counted hedge_won)" "1200 1"
done

# ---- what belongs to TLS stays there ----
if ! command -v python3 >/dev/null; then
    skip "what belongs to TLS" "python3 is not installed"
    done_testing
fi
# serve ARGUMENTS...: sets server to its address
serve() {
    start_planned "$folder" "$@"
    server=localhost:$planned_port
}
heads() { command curl -s "http://$server/heads?of=$1"; }
under() { timeout 30 gusset run --config "$folder/p.cfg" -- "$@"; }
serve "$folder/good.pem"
under curl -s "https://$server/sts?plan=sts" "http://$server/known?plan=400-200,200" >/dev/null
is "what the first asks by TLS, since another transfer has learnt so, nobody asks in clear text" "$(heads /known | grep -c '^GET') $(heads /known | grep -c '^by TLS GET')" "0 1"
for cookie in gone stays; do printf 'localhost\tFALSE\t/\tTRUE\t0\t%s\tyes\n' $cookie; done >"$folder/jar"
under curl -s -b "$folder/jar" -c "$folder/jar" "https://$server/leave?plan=5000-200,expire" >/dev/null
is "a Secure cookie that the winner expires goes" "$(heads /leave | grep -c 'Cookie: .*gone=yes') $(awk '!/^# / && NF >= 7 {print $6}' "$folder/jar")" "2 stays"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout "$folder/self.key" -out "$folder/self.crt" 2>/dev/null
cat "$folder/self.key" "$folder/self.crt" >"$folder/self.pem"
serve "$folder/self.pem" stalls
is "of a connection that stalled before its certificate came, that of the winner's is told" \
    "$(under "$BUILD/clients/kept" plain "https://$server/certificate" "https://$server/certificate" | head -n 1)" "result 0 status 200 verified 18"
done_testing
