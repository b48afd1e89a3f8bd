# What drills share: the gateway that is tried, and how it is started. Sourced after tests/servers.sh, not run.
#
# Who sources it sets `settings`, what each gateway is told by environment, and `serve`, what stands behind `staygate serve`.
# shellcheck shell=bash disable=SC2034,SC2154

declare -A gateways=() # name → process id
declare -A ports=()    # name → port
settings=() serve=()

# A developer's own settings must not decide what is seen.
binary=${STAYGATE_BINARY-}
unset "${!STAYGATE_@}" "${!DATABASE_@}" "${!STRIPE_@}" "${!PG@}" "${!RUST_@}" REDIS_URL SMTP_URL

# Finds STAYGATE_BINARY, or what cargo builds.
find_staygate() {
    if [[ -z $binary ]]; then
        say 'Building staygate'
        cargo build --bin staygate
        binary=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')/debug/staygate
    fi
    [[ -x $binary ]] || die "there is no $binary"
}

# start_gateway NAME [SETTING=VALUE...]: on its port, which it keeps from the first time on, and ready when this returns.
start_gateway() {
    local name=$1 tries=0
    if [[ -z ${ports[$name]-} ]]; then
        pick_port
        ports[$name]=$port
    fi
    port=${ports[$name]}
    mkdir -p "$work/$name"
    env -C "$work/$name" "${settings[@]}" "${@:2}" STAYGATE_LISTEN="127.0.0.1:$port" STAYGATE_ADMIN_LISTEN=off \
        "$binary" serve "${serve[@]}" >>"$work/$name.log" 2>&1 </dev/null &
    gateways[$name]=$!
    servers[${gateways[$name]}]=$name
    until answers_ready; do
        if ! kill -0 "${gateways[$name]}" 2>/dev/null || ((++tries > 600)); then
            cat "$work/$name.log" >&2
            die "gateway $name did not come up; its log stands above"
        fi
        sleep 0.1
    done
}

# stop_gateway NAME: as an orchestrator does it, told once and waited for. Sets `took`, in seconds.
stop_gateway() {
    local name=$1 id=${gateways[$1]} told=$SECONDS status=0
    kill -s TERM "$id"
    while kill -0 "$id" 2>/dev/null; do
        ((SECONDS - told < 40)) || die "gateway $name does not stop"
        sleep 0.1
    done
    wait "$id" || status=$?
    unset "servers[$id]"
    took=$((SECONDS - told))
    ((status == 0)) || die "gateway $name ended with $status"
}
