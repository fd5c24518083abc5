# PostgreSQL and databases of one state folder ($STATE). Sourced by script/server after env.sh.
# shellcheck shell=bash

PG_DATA=$STATE/postgresql
FILESTORE=$STATE/odoo-data/filestore
# Part of what the template is made of; more modules come with it by themselves (65 in all), as on a real Odoo.
TEMPLATE_MODULES=sale_management,crm,rpc
# What the addon does not depend on and exports from where it is there: tested in databases of their own.
# shellcheck disable=SC2034 # read by script/server
OPTIONAL_MODULES=stock,sale_stock,sale_margin,loyalty,rating,point_of_sale,website_sale

# Whether a process runs something that names our folder: a pid alone may be another's after a reboot.
runs() { # PIDFILE TEXT
    local pid
    pid=$(head -n 1 "$1" 2>/dev/null) && [[ $pid =~ ^[0-9]+$ ]] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$2"
}
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
free_port() { # FIRST
    local port
    for ((port = $1; port < $1 + 500; port++)); do
        port_taken "$port" || { echo "$port"; return; }
    done
    die "no free port between $1 and $port"
}
# A port for a short time: picked at random, since others look for one at the same moment.
any_port() { free_port $((20000 + RANDOM % 12000)); }
random() { head -c 32 /dev/urandom | sha256sum | cut -c1-40; }

pg_embedded() { [[ -z ${PGHOST_GIVEN-} ]]; }
# PostgreSQL refuses to run as root: be nobody, but keep the right to pass closed folders such as /root. The last
# option keeps that right for access(2) too, with which PostgreSQL looks for its programs.
pg_as() {
    local as=()
    ((EUID)) || as=(setpriv --reuid=nobody --regid="$(id -gn nobody)" --clear-groups --inh-caps=+dac_override
        --ambient-caps=+dac_override --securebits=+no_setuid_fixup)
    # Away from the caller's folder, which nobody may not enter; and without the caller's libpq settings.
    (cd / && env -u PGDATA -u PGPORT "${as[@]}" "$@")
}
pg_running() { runs "$PG_DATA/postmaster.pid" "$PG_DATA"; }

pg_connect() { # exports what libpq clients and Odoo need
    export PGOPTIONS='-c client_min_messages=warning'
    if pg_embedded; then
        unset PGSERVICE PGSERVICEFILE PGDATABASE PGPASSWORD PGHOSTADDR
        export PGHOST=127.0.0.1 PGUSER=odoo PGPASSFILE=$STATE/pgpass PGSSLMODE=disable
        PGPORT=$(cat "$STATE/postgresql.port" 2>/dev/null || true)
        export PGPORT PATH=$CV_PG_BIN:$PATH
    else
        have psql || die "PGHOST is set but psql is not on PATH: install postgresql-client, or unset PGHOST to use the PostgreSQL of script/bootstrap"
        export PGPORT=${PGPORT:-5432} PGUSER=${PGUSER:-$(id -un)}
    fi
}

pg_start() {
    pg_embedded || { pg_connect; sql postgres 'select 1' >/dev/null || die "PostgreSQL at PGHOST=$PGHOST does not answer: start it, or unset PGHOST"; return 0; }
    if pg_running; then pg_connect; return; fi
    if [[ ! -e $PG_DATA/.complete ]]; then
        rm -rf "$PG_DATA"
        mkdir -p "$PG_DATA"
        random >"$STATE/pgpass.new"
        ((EUID)) || chown nobody "$PG_DATA"
        pg_as "$CV_PG_BIN/initdb" -D "$PG_DATA" -U odoo -A scram-sha-256 --pwfile="$STATE/pgpass.new" -E UTF8 --locale=C.UTF-8 \
            >"$STATE/initdb.log" 2>&1 || die "making the PostgreSQL folder failed: $(grep -m 1 error: "$STATE/initdb.log" || echo "see $STATE/initdb.log")"
        printf '127.0.0.1:*:*:odoo:%s\n' "$(cat "$STATE/pgpass.new")" >"$STATE/pgpass"
        rm "$STATE/pgpass.new"
        touch "$PG_DATA/.complete"
    fi
    # Left by a machine that went down; PostgreSQL would take any process of that number for itself.
    rm -f "$PG_DATA/postmaster.pid"
    local port options try
    # No Unix socket: its path would be too long in a deep folder.
    options="-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c shared_buffers=256MB -c jit=off
        -c synchronous_commit=off -c work_mem=32MB -c maintenance_work_mem=128MB -c max_wal_size=2GB -c max_connections=80"
    # Tests' databases can be made again; everything else must survive a power cut.
    [[ ${STATE##*/} != test* ]] || options+=" -c fsync=off -c full_page_writes=off"
    : >>"$STATE/postgresql.log"
    ((EUID)) || chown nobody "$STATE/postgresql.log"
    port=$(cat "$STATE/postgresql.port" 2>/dev/null || echo 25432)
    ! port_taken "$port" || port=$(free_port 25432)
    for try in 1 2 3; do
        echo "$port" >"$STATE/postgresql.port"
        pg_as setsid "$CV_PG_BIN/pg_ctl" start -w -t 60 -s -D "$PG_DATA" -l "$STATE/postgresql.log" -o "-p $port ${options//$'\n'/ }" \
            </dev/null >/dev/null 2>&1 9>&- && break
        ((try < 3)) || die "PostgreSQL did not start, see $STATE/postgresql.log"
        # Most likely another program took the port in between.
        port=$(any_port)
    done
    pg_connect
}
pg_stop() {
    pg_embedded && pg_running || return 0
    pg_as "$CV_PG_BIN/pg_ctl" stop -w -m fast -s -D "$PG_DATA" || die "PostgreSQL did not stop, see $STATE/postgresql.log"
}

sql() { psql -X -q -At -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
db_exists() { [[ $(sql postgres "select 1 from pg_database where datname = '$1'") == 1 ]]; }
check_name() { [[ $1 =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]] || die "'$1' is not a database name: use letters, digits, _ and -"; }
db_drop() {
    sql postgres "drop database if exists \"$1\" with (force)"
    rm -rf "${FILESTORE:?}/$1"
}
db_rename() { # FROM TO
    sql postgres "alter database \"$1\" rename to \"$2\""
    rm -rf "${FILESTORE:?}/$2"
    [[ ! -d $FILESTORE/$1 ]] || mv "$FILESTORE/$1" "$FILESTORE/$2"
}
db_copy() { # FROM TO
    db_exists "$1" || die "there is no database $1 to copy"
    ! db_exists "$2" || die "there is a database $2 already: script/server drop-db $2 --state $STATE"
    # A template may not be in use; what is left there is a pool connection of a server.
    sql postgres "select pg_terminate_backend(pid) from pg_stat_activity where datname = '$1'" >/dev/null
    sql postgres "create database \"$2\" template \"$1\""
    # A copy is another database: the worker tells them apart by this.
    sql "$2" "update ir_config_parameter set value = gen_random_uuid() where key in ('database.uuid', 'database.secret')"
    if [[ -d $FILESTORE/$1 ]]; then
        # Files there are never changed in place, so links are copies.
        cp -rl "$FILESTORE/$1" "$FILESTORE/$2" 2>/dev/null || cp -rT "$FILESTORE/$1" "$FILESTORE/$2"
    fi
}

# What a template depends on: the Odoo and the modules.
template_key() { # [MODULES BESIDES]
    local odoo=$CV_ODOO_TREE
    [[ -z ${ODOO_SRC-} ]] || odoo="$ODOO_SRC $(git -C "$ODOO_SRC" rev-parse HEAD 2>/dev/null || true)"
    [[ -z ${ODOO_BIN-} ]] || odoo="$ODOO_BIN $($ODOO_BIN --version)"
    hash_of "$odoo" "$TEMPLATE_MODULES${1:+,$1}" "$CV_PG_PACKAGE"
}
# A database with the sales and CRM apps, and modules besides where they are named, and without data. Made once per
# Odoo (about a minute), kept in the cache as a dump, restored from there in a new state folder.
template() { # [MODULES BESIDES]
    local name dump
    name=template_$(template_key "${1-}")
    dump=$CV_CACHE/$name
    if ! db_exists "$name"; then
        # Where several look for it at once, one makes it, and the others find it in the cache.
        exec 7>"$dump.lock"
        flock -n 7 || { say "waiting for another to make the template database"; flock 7; }
        db_drop "$name.new"
        if [[ -e $dump/.complete ]] && pg_embedded; then
            sql postgres "create database \"$name.new\" template template0"
            pg_restore -d "$name.new" -j 2 --no-owner "$dump/database.dump"
            mkdir -p "$FILESTORE"
            cp -r "$dump/filestore" "$FILESTORE/$name.new"
        else
            [[ -z ${1-} ]] || db_copy "$(template)" "$name.new"
            say "making the template database (${1:-$TEMPLATE_MODULES}), once for this Odoo: about a minute"
            odoo_once -d "$name.new" -i "${1:-$TEMPLATE_MODULES}" --stop-after-init >"$STATE/template.log" 2>&1 ||
                die "the template database failed, see $STATE/template.log"
            mkdir -p "$FILESTORE/$name.new"
            if pg_embedded; then
                local new=$dump.new.$$
                mkdir -p "$new"
                pg_dump -Fc -Z1 -f "$new/database.dump" "$name.new"
                cp -r "$FILESTORE/$name.new" "$new/filestore"
                touch "$new/.complete"
                rm -rf "$dump"
                mv -T "$new" "$dump" 2>/dev/null || rm -rf "$new" # another clone was first
            fi
        fi
        # Renamed last: a template that exists is whole.
        db_rename "$name.new" "$name"
    fi
    echo "$name"
}
