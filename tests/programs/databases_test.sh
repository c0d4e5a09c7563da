#!/bin/bash
# Real databases and the clients that people have for them: PostgreSQL and MariaDB that start two seconds late, and a service
# by a name that no DNS knows, whose first address is dead. Each client bare fails; with a rule it is served.
# alone
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
python=/usr/bin/python3
shut=$(free_port) pg=$(free_port) maria=$(free_port)
config "$folder/patient.cfg" <<CFG
version = 1;
policies: {
  patient: { timeout: { connect = "5s"; total = "60s"; }; retry: { attempts = 100; backoff: { base = "200ms"; cap = "400ms"; jitter = "none"; }; wait = "20s"; }; };
};
hosts = ( { match = "127.0.0.1"; policy = "patient"; } );
services = (
  { name = "orders-db"; urls = ["tcp://127.0.0.1:$shut", "tcp://127.0.0.2:$pg"]; },
  { name = "stock-db"; url = "tcp://\${STOCK_HOST:-127.0.0.2}:$maria"; }
);
CFG
export PGSSLMODE=disable PGGSSENCMODE=disable GUSSET_CONFIG=$folder/patient.cfg
under() { timeout 40 gusset run -- "$@"; }
as_user() { # NAME COMMAND...: a database will not run as root
    local user=$1
    shift
    if [ "$(id -u)" = 0 ]; then setpriv --reuid="$user" --regid="$user" --clear-groups "$@"; else "$@"; fi
}
[ "$(id -u)" != 0 ] || chmod 711 "$folder"

# ---- the servers: a data folder each, made before ----
servers_here=()
postgres=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)
mkdir "$folder/pg" "$folder/maria"
if [ -z "$postgres" ]; then
    skip "PostgreSQL" "it is not installed"
elif { [ "$(id -u)" = 0 ] && ! chown postgres "$folder/pg"; } ||
    ! as_user postgres "$postgres/initdb" -D "$folder/pg" -U x -A trust -N >"$folder/initdb" 2>&1; then
    skip "PostgreSQL" "initdb failed: $(tail -n 1 "$folder/initdb")"
else
    servers_here+=(postgres)
fi
if ! command -v mariadbd >/dev/null || ! command -v mariadb-install-db >/dev/null; then
    skip "MariaDB" "it is not installed"
elif { [ "$(id -u)" = 0 ] && ! chown nobody "$folder/maria"; } ||
    ! as_user 65534 mariadb-install-db --no-defaults --datadir="$folder/maria" --skip-test-db --auth-root-authentication-method=normal >"$folder/install" 2>&1; then
    skip "MariaDB" "mariadb-install-db failed: $(tail -n 1 "$folder/install")"
else
    servers_here+=(mariadb)
fi
start() { # NAME
    case $1 in
    postgres) as_user postgres "$postgres/postgres" -D "$folder/pg" -p "$pg" -k '' -c listen_addresses=127.0.0.1,127.0.0.2 -c fsync=off ;;
    mariadb)
        # grants are off: whoever comes may ask
        as_user 65534 mariadbd --no-defaults --datadir="$folder/maria" --socket="$folder/maria/s" --pid-file="$folder/maria/pid" --port="$maria" \
            --bind-address=127.0.0.1,127.0.0.2 --skip-grant-tables --skip-networking=0 --skip-log-bin --innodb-flush-method=fsync
        ;;
    esac >"$folder/$1.log" 2>&1 &
    servers+=($!)
}

# ---- the clients: each prints 7 ----
clients=()
declare -A asks=()
client() { # SERVER NAME TEST COMMAND, in which HOST and PORT stand for themselves
    [[ " ${servers_here[*]} " == *" $1 "* ]] || return
    if bash -c "$3" >/dev/null 2>&1; then
        clients+=("$2")
        asks[$2]=$4
    else
        skip "$2" "it is not installed"
    fi
}
php_has() { echo "php -r 'exit(extension_loaded(\"$1\") ? 0 : 1);'"; }
client postgres psql "command -v psql" "psql -At -h HOST -p PORT -U x postgres -c 'select 7'"
client postgres psycopg2 "$python -c 'import psycopg2'" \
    "$python -c 'import psycopg2; c = psycopg2.connect(\"host=HOST port=PORT user=x dbname=postgres\").cursor(); c.execute(\"select 7\"); print(c.fetchone()[0])'"
client postgres "php pgsql" "$(php_has pgsql)" "php -r 'echo pg_fetch_result(pg_query(pg_connect(\"host=HOST port=PORT user=x dbname=postgres\"), \"select 7\"), 0);'"
client postgres "php pdo_pgsql" "$(php_has pdo_pgsql)" "php -r 'echo (new PDO(\"pgsql:host=HOST;port=PORT;dbname=postgres\", \"x\"))->query(\"select 7\")->fetchColumn();'"
client postgres "php fsockopen" "command -v php" "php -r '\$s = fsockopen(\"HOST\", PORT); echo \$s ? 7 : 0;'"
client postgres "php sockets" "$(php_has sockets)" \
    "php -r '\$s = socket_create(AF_INET, SOCK_STREAM, SOL_TCP); echo socket_connect(\$s, \"HOST\", PORT) ? 7 : 0;'"
client postgres "python" "command -v $python" "$python -c 'import socket; socket.create_connection((\"HOST\", PORT)); print(7)'"
client mariadb mysql "command -v mariadb || command -v mysql" "mysql --no-defaults --protocol=tcp -h HOST -P PORT -u x -Ne 'select 7'"
client mariadb "php mysqli" "$(php_has mysqli)" "php -r 'echo mysqli_connect(\"HOST\", \"x\", \"\", \"\", PORT)->query(\"select 7\")->fetch_row()[0];'"
client mariadb "php pdo_mysql" "$(php_has pdo_mysql)" "php -r 'echo (new PDO(\"mysql:host=HOST;port=PORT\", \"x\"))->query(\"select 7\")->fetchColumn();'"
command_of() { # NAME HOST PORT
    local text=${asks[$1]//HOST/$2}
    echo "${text//PORT/$3}"
}
port_of() { case $1 in *my*) echo "$maria" ;; *) echo "$pg" ;; esac; }

# ---- two seconds late ----
for name in ${clients[@]+"${clients[@]}"}; do
    bash -c "$(command_of "$name" 127.0.0.1 "$(port_of "$name")")" >"$folder/bare.$name" 2>/dev/null
done
for name in ${clients[@]+"${clients[@]}"}; do
    under bash -c "$(command_of "$name" 127.0.0.1 "$(port_of "$name")")" >"$folder/late.$name" 2>"$folder/late.$name.err" &
done
sleep 2
for server in ${servers_here[@]+"${servers_here[@]}"}; do start "$server"; done
for name in ${clients[@]+"${clients[@]}"}; do
    for _ in $(seq 200); do
        [ -s "$folder/late.$name" ] && break
        sleep 0.1
    done
    ok "two seconds late: $name bare is given nothing" test "$(cat "$folder/bare.$name")" != 7
    is "two seconds late: $name is served" "$(cat "$folder/late.$name")" 7
done
at_least "each was rescued" "$(counted rescued)" "${#clients[@]}"

# ---- a service ----
if [[ " ${servers_here[*]} " == *" postgres "* ]]; then
    is "services tells of the first address" "$(gusset services orders-db | grep -c "tcp://127.0.0.1:$shut")" 1
    is "and of the second" "$(gusset services orders-db | grep -c "tcp://127.0.0.2:$pg")" 1
fi
for name in ${clients[@]+"${clients[@]}"}; do
    service=$([ "$(port_of "$name")" = "$maria" ] && echo stock-db || echo orders-db)
    rm -f "$GUSSET_STATE"
    said=$(bash -c "$(command_of "$name" $service 7777)" 2>/dev/null | grep -c '^7$')
    is "$service, to $name: bare there is no such host" "$said" 0
    # The first finds the dead address out, where its socket does not block and it knows no other; then all know.
    under bash -c "$(command_of "$name" $service 7777)" >"$folder/first.$name" 2>&1
    is "$service, to $name: is where it runs, its first address being dead" "$(under bash -c "$(command_of "$name" $service 7777)" 2>&1 | tail -n 1)" 7
done
if [[ " ${servers_here[*]} " == *" postgres "* ]] && command -v psql >/dev/null; then
    rm -f "$GUSSET_STATE"
    under bash -c "$(command_of psql orders-db 7777)" >/dev/null 2>&1
    first=$(cat "$folder/first.psql" "$folder/first.psycopg2" 2>/dev/null | tr '\n' ' ')
    is "libpq finds the second address in one call" "$first" "7 $([ "${asks[psycopg2]:-}" ] && echo '7 ')"
    is "status shows the address that is dead" "$(gusset status --json "127.0.0.1:$shut" | grep -o '"circuit":"[a-z]*"' | head -n 1)" '"circuit":"open"'
fi

done_testing
