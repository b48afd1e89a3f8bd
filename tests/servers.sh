# What tests/run, tests/drills, benches/run and deploy/check share: finding and installing what they need, and servers that live for one run. Sourced, not run.
#
# Who sources it sets `me`, by which it calls itself, and traps EXIT with `cleanup` once `work` is a temporary folder.
# What it sets is read, and `me` is set, over there:
# shellcheck shell=bash disable=SC2034,SC2154

work=''               # the temporary folder
shields=()            # files that keep apt-get from starting services, while they are there
declare -A servers=() # process id → name of all that runs
postgres=''           # the one that is PostgreSQL

say() { printf '\n== %s ==\n' "$*"; }
die() { printf '%s: %s\n' "$me" "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null; }

# --- packages ---------------------------------------------------------------------------------------------------

as_root() {
    if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# A file of root's that is there only while packages are being installed.
shield() {
    shields+=("$1")
    as_root mkdir -p "${1%/*}"
    as_root tee "$1" >/dev/null
    as_root chmod +x "$1"
}

unshield() {
    ((${#shields[@]} == 0)) || as_root rm -f "${shields[@]}"
    shields=()
}

# Installs packages without starting the services that come with them, now or at the next boot.
apt_install() {
    have apt-get || die "please install $* (there is no apt-get here to do it)"
    ((EUID == 0)) || have sudo || die "please install $* (that takes root, and there is no sudo here)"
    say "Installing $*"
    [[ -e /usr/sbin/policy-rc.d ]] || shield /usr/sbin/policy-rc.d <<<$'#!/bin/sh\nexit 101'
    shield /etc/postgresql-common/createcluster.d/staygate-tests.conf <<<'create_main_cluster = false'
    as_root apt-get -o DPkg::Lock::Timeout=120 -q update
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=120 -qy install --no-install-recommends "$@"
    unshield
    if [[ " $* " == *' redis-server '* && -d /run/systemd/system ]]; then
        as_root systemctl --quiet disable redis-server.service
    fi
}

# unpack FOLDER PACKAGE...: the files of packages in a folder, for this run alone: nothing is installed, and no service comes with them.
unpack() {
    local folder=$1
    shift
    have apt-get || die "please install $* (there is no apt-get here to do it)"
    mkdir -p "$folder"
    {
        (cd "$folder" && apt-get -q download "$@") ||
            { as_root apt-get -o DPkg::Lock::Timeout=120 -q update && (cd "$folder" && apt-get -q download "$@"); }
    } >"$folder.log" 2>&1 || die "$* can't be had: $(cat "$folder.log")"
    for package in "$folder"/*.deb; do dpkg -x "$package" "$folder"; done
}

# Finds promtool, or unpacks Debian's for this run.
find_promtool() {
    have promtool && return
    unpack "$work/prometheus" prometheus
    PATH=$PATH:$work/prometheus/usr/bin
}

# Sets `proxy`, a command with its arguments.
find_haproxy() {
    local library
    mapfile -t proxy < <(command -v haproxy || compgen -G /usr/sbin/haproxy)
    ((${#proxy[@]} == 0)) || return 0
    # What no bare system has of that which it loads.
    mapfile -t library < <(apt-cache depends haproxy 2>/dev/null | sed -n 's/.*Depends: \(liblua[^ ]*\)$/\1/p')
    unpack "$work/haproxy" haproxy "${library[@]}"
    proxy=(env "LD_LIBRARY_PATH=$(dirname "$(find "$work/haproxy" -name 'liblua*.so*' -print -quit)")" "$work/haproxy/usr/sbin/haproxy")
    "${proxy[@]}" -v >>"$work/haproxy.log" 2>&1 || die "HAProxy does not run: $(cat "$work/haproxy.log")"
}

# For localhost, in "$work/certificate.pem", and with its key in "$work/site.pem".
make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$work/key.pem" -out "$work/certificate.pem" 2>"$work/openssl.log" ||
        die "no certificate: $(cat "$work/openssl.log")"
    cat "$work/certificate.pem" "$work/key.pem" >"$work/site.pem"
}

find_postgres() {
    local folders=()
    if have initdb && have postgres; then
        pg_bin=$(dirname "$(readlink -f "$(command -v initdb)")")
    else
        mapfile -t folders < <(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V)
        ((${#folders[@]})) && pg_bin=${folders[-1]%/initdb}
    fi
}

find_redis() {
    redis=$(command -v redis-server || command -v valkey-server) && { have redis-cli || have valkey-cli; }
}

# Debian has Python without the part that makes a venv with pip in it.
find_python() {
    have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null
}

modern_node() { [[ $(node --version) =~ ^v([0-9]+) ]] && ((BASH_REMATCH[1] >= 20)); }

# --- servers ----------------------------------------------------------------------------------------------------

# Sets `port` to one that nobody listens on, below those that the kernel hands out to outgoing connections.
pick_port() {
    port=$((20000 + RANDOM % 12000))
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((20000 + RANDOM % 12000)); done
}

# launch NAME READY COMMAND...: starts a server, its port in the place of @PORT@, and waits until the function READY
# says yes. Sets `port` and `pid`. Another process may take the port between choice and bind, so a server that could
# not bind gets another one.
launch() {
    local name=$1 ready=$2 log=$work/$1.log deadline
    shift 2
    for _ in {1..10}; do
        pick_port
        "${@//@PORT@/$port}" >"$log" 2>&1 </dev/null &
        pid=$!
        disown "$pid"
        servers[$pid]=$name
        deadline=$((SECONDS + 60))
        while kill -0 "$pid" 2>/dev/null && ((SECONDS < deadline)); do
            # Asked twice: what answered may be a stranger who has the port, while ours was going down.
            if "$ready" "$log" && sleep 0.1 && kill -0 "$pid" 2>/dev/null; then return; fi
            sleep 0.1
        done
        stop "$pid"
        grep -qi 'address.* in use' "$log" || break
    done
    cat "$log" >&2
    die "$name did not come up; its log stands above"
}

# Stops servers by process id, the hard way when asking has not helped for ten seconds.
stop() {
    local id signal
    for id in "$@"; do
        # SIGTERM would make PostgreSQL wait for its clients.
        signal=TERM
        if [[ $id == "$postgres" ]]; then signal=INT; fi
        kill -s $signal "$id" 2>/dev/null || true
    done
    for id in "$@"; do
        for _ in {1..100}; do
            kill -0 "$id" 2>/dev/null || break
            sleep 0.1
        done
        kill -s KILL "$id" 2>/dev/null || true
        unset "servers[$id]"
    done
}

says_running() { grep -qs 'Running on' "$1"; }
says_ready() { grep -qs 'eady to accept connections' "$1"; }

# GET /readyz, without relying on curl.
answers_ready() {
    local status=''
    status=$({
        exec 3<>"/dev/tcp/127.0.0.1/$port"
        printf 'GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n' "$port" >&3
        IFS= read -r -t 5 line <&3
        echo "$line"
    } 2>/dev/null) || true
    [[ $status == 'HTTP/1.1 200'* ]]
}

# start_postgres [SETTING...]: a PostgreSQL with these settings, such as fsync=off. Sets `postgres_url`, without a database. PostgreSQL
# refuses to run as root.
start_postgres() {
    local as=(env -C "$work") settings=() setting owner
    mkdir "$work/postgres"
    if ((EUID == 0)); then
        owner=$(id -un postgres 2>/dev/null) || owner=nobody
        as+=(setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups)
        chmod 711 "$work"
        chown "$owner" "$work/postgres"
    fi
    "${as[@]}" "$pg_bin/initdb" --pgdata="$work/postgres/data" --username=postgres --auth=trust \
        --encoding=UTF8 --no-locale --no-sync >"$work/initdb.log" 2>&1 || die "initdb: $(cat "$work/initdb.log")"
    for setting in "$@"; do settings+=(-c "$setting"); done
    launch postgres says_ready "${as[@]}" "$pg_bin/postgres" -D "$work/postgres/data" -p @PORT@ \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories="$work/postgres" -c max_connections=400 "${settings[@]}"
    postgres_url=postgres://postgres@127.0.0.1:$port
    pg_port=$port postgres=$pid
}

# Sets `redis_url`.
start_redis() {
    launch redis says_ready "$redis" --bind 127.0.0.1 --port @PORT@ --dir "$work" --save '' --appendonly no
    redis_url=redis://127.0.0.1:$port
}

# Sets `stripe`, the Python that runs tests/stripe/server.py, a payment provider.
install_stripe() {
    local venv=$work/stripe
    { python3 -m venv "$venv" &&
        "$venv/bin/pip" install --quiet --no-input --disable-pip-version-check -r tests/stripe/requirements.txt; } \
        >"$work/pip.log" 2>&1 || die "localstripe can't be installed: $(cat "$work/pip.log")"
    stripe=$venv/bin/python
}

cleanup() {
    local status=$?
    trap '' INT TERM
    stop "${!servers[@]}"
    unshield
    [[ -z $work ]] || rm -rf "$work"
    exit "$status"
}
