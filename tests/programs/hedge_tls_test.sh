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
done_testing
