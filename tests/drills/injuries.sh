# What tests/drills/faults does to a running marketplace: for each fault what is set up differently, how it breaks, how it is mended. Sourced, not run.
#
# break_FAULT is called under load and calls `mark` at the moments at which it breaks and is mended. prepare_FAULT, where there is one, is called before anything runs.
# never[FAULT] is what no client may see of it, beside what none may ever see.
# shellcheck shell=bash disable=SC2034,SC2154

faults=(postgres-restart postgres-crash postgres-away redis-killed slow-disk very-slow-disk full-disk full-log full-sqlite provider-hangs sigterm kill-gateway kill-worker)
declare -A never=(
    [postgres-restart]='refused,reset' [postgres-crash]='refused,reset' [postgres-away]='refused,reset'
    [redis-killed]='away,in part,refused,reset' [slow-disk]='refused,reset' [very-slow-disk]='refused,reset'
    [full-disk]='refused,reset' [full-log]='refused,reset' [full-sqlite]='refused,reset' [provider-hangs]='away,in part,refused,reset'
    [sigterm]='away,in part,refused,reset' [kill-gateway]='refused' [kill-worker]='away,in part,refused,reset'
)

# --- PostgreSQL ---------------------------------------------------------------------------------------------------

# postgres_control COMMAND...: pg_ctl, as whoever it runs as.
postgres_control() {
    local as=(env -C "$work")
    if ((EUID == 0)); then as+=(setpriv "--reuid=$(stat -c %u "$work/postgres")" "--regid=$(stat -c %g "$work/postgres")" --clear-groups); fi
    "${as[@]}" "$pg_bin/pg_ctl" --pgdata="$work/postgres/data" --wait --timeout=60 --log="$work/postgres/again.log" "$@" >>"$work/pg_ctl.log" 2>&1
}

# With what it was told the first time.
postgres_starts() { postgres_control --options="$(sed 's/^[^ ]* //' "$work/postgres/data/postmaster.opts")" start; }

# It has another process id from now on.
postgres_is_back() {
    unset "servers[$postgres]"
    read -r postgres <"$work/postgres/data/postmaster.pid"
    servers[$postgres]=postgres
}

restart_postgres() {
    mark broken
    postgres_control --mode="$1" stop
    sleep "$2"
    mark mended
    postgres_starts
    postgres_is_back
}

# Those who do it wait for nothing between the two.
break_postgres-restart() { restart_postgres fast 0; }
break_postgres-crash() { restart_postgres immediate 0; }
break_postgres-away() { restart_postgres fast 10; }

# --- its disk -----------------------------------------------------------------------------------------------------

slow_disk() {
    cc -shared -fPIC -O2 -o "$work/slow_disk.so" tests/drills/slow_disk.c -ldl
    postgres_environment=(LD_PRELOAD="$work/slow_disk.so" SLOW_DISK="$work/slow")
}

slow() {
    mark broken
    printf '%d\n' "$1" >"$work/slow.new"
    mv "$work/slow.new" "$work/slow"
    sleep 15
    rm "$work/slow"
    mark mended
}

prepare_slow-disk() { slow_disk; }
break_slow-disk() { slow 100; }
prepare_very-slow-disk() { slow_disk; }
break_very-slow-disk() { slow 1000; }

# small_disk MEGABYTES: a file system of that size at "$work/small".
small_disk() {
    mkdir "$work/small"
    truncate -s "$1M" "$work/small.img"
    mkfs.ext4 -q -m 0 "$work/small.img"
    as_root mount -o loop "$work/small.img" "$work/small" || die 'a file system can not be mounted here: that takes root'
    mounted=$work/small
    rmdir "$work/small/lost+found"
}

fill_up() {
    dd if=/dev/zero of="$mounted/something" bs=64k status=none 2>/dev/null || true
    dd if=/dev/zero of="$mounted/something" bs=1k oflag=append conv=notrunc status=none 2>/dev/null || true
}

# Tables on a disk of their own, which is full. What was written before is durable in the log, which is on another one.
prepare_full-disk() { small_disk 64; }
arrange_full-disk() {
    chown --reference="$work/postgres" "$work/small"
    "$pg_bin/psql" -qX "$postgres_url/postgres" -c "CREATE TABLESPACE small LOCATION '$work/small'"
    tablespace=(--tablespace=small)
}
break_full-disk() {
    mark broken
    fill_up
    sleep 15
    rm "$mounted/something"
    mark mended
}

# The log on a disk of its own: PostgreSQL stops at once when that is full, and does not come up before there is room again.
prepare_full-log() { small_disk 200; }
arrange_full-log() {
    postgres_control --mode=fast stop
    chown --reference="$work/postgres" "$work/small"
    cp -a "$work/postgres/data/pg_wal" "$work/small/pg_wal"
    rm -r "$work/postgres/data/pg_wal"
    ln -s "$work/small/pg_wal" "$work/postgres/data/pg_wal"
    postgres_starts
    postgres_is_back
}
break_full-log() {
    mark broken
    fill_up
    sleep 3
    # The next piece of the log is wanted now, and not after 16 MiB of writes.
    for _ in {1..8}; do "$pg_bin/psql" -qX "$postgres_url/drill" -c 'SELECT pg_switch_wal(), txid_current()' >>"$work/switch.log" 2>&1 || break; sleep 0.5; done
    sleep 8
    rm "$mounted/something"
    mark mended
    # As whatever looks after it does, where it has given up by itself.
    if ! "$pg_bin/pg_isready" -q --host=127.0.0.1 --port="$pg_port" --timeout=5; then
        echo 'PostgreSQL had given up, and was started again'
        postgres_starts || true
    fi
    postgres_is_back
}

prepare_full-sqlite() { small_disk 64; }
break_full-sqlite() { break_full-disk; }

# --- the others ---------------------------------------------------------------------------------------------------

break_redis-killed() {
    local id=$redis_id
    mark broken
    kill -s KILL "$id"
    unset "servers[$id]"
    sleep 10
    "$redis" --bind 127.0.0.1 --port "$redis_port" --dir "$work" --save '' --appendonly no >"$work/redis-again.log" 2>&1 </dev/null &
    servers[$!]=redis
    mark mended
}

break_provider-hangs() {
    mark broken
    kill -s STOP "$provider"
    sleep 15
    kill -s CONT "$provider"
    mark mended
}

# Payments wait for the provider while the gateway is told to stop.
break_sigterm() {
    kill -s STOP "$provider"
    mark broken
    sleep 1.5
    (sleep 2.5 && kill -s CONT "$provider") &
    stop_gateway a
    printf 'gateway a ended with 0 after %d s\n' "$took"
    start_gateway a
    note_pids
    mark mended
}

kill_hard() {
    local id=$1
    disown "$id" 2>/dev/null || true
    kill -s KILL "$id"
    unset "servers[$id]"
}

break_kill-gateway() {
    local name
    mark broken
    for name in a b a b; do
        kill_hard "${gateways[$name]}"
        sleep 1
        start_gateway "$name"
        note_pids
        sleep 1
    done
    mark mended
}

break_kill-worker() {
    mark broken
    for _ in {1..3}; do
        kill_hard "$worker"
        sleep 1
        start_worker
        note_pids
        sleep 2
    done
    mark mended
}
