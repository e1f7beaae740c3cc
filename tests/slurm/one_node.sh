#!/usr/bin/env bash
# A SLURM of this machine alone, without accounting, cgroups and systemd: `one_node.sh start FOLDER`, later `one_node.sh stop FOLDER`.
#
# Needs root, and the packages slurm-wlm and munge of Debian. Its key, sockets, states and logs lie in FOLDER, which only root can write;
# CPUS and MEMORY_MB are what it hands out, even if the machine has less, and one GPU, which is none: so a job can ask for it.
set -euo pipefail

command=$1 folder=$(realpath -m "$2") host=$(hostname -s)
# SLURM looks here whatever the environment says: the commands inside a job are started without SLURM_CONF.
settings=/etc/slurm

write_settings() {
    # Finished jobs are shown for an hour, for nothing else remembers them.
    cat > "$folder/slurm.conf" <<END
ClusterName=onenode
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=${PORT:-26817}
SlurmdPort=$((${PORT:-26817} + 1))
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=bf_interval=1,sched_interval=2,sched_min_interval=0
MinJobAge=3600
ReturnToService=2
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$CPUS RealMemory=$MEMORY_MB Gres=gpu:1 State=UNKNOWN
PartitionName=short Nodes=$host MaxTime=4:00:00
PartitionName=long Nodes=$host MaxTime=INFINITE Default=YES
END
    # A character device stands for the GPU.
    mknod "$folder/gpu" c 1 3
    echo "NodeName=$host Name=gpu File=$folder/gpu" > "$folder/gres.conf"
    mkdir -p "$settings"
    ln -s "$folder/slurm.conf" "$folder/gres.conf" "$settings"
}

start_munge() {
    install -d -o munge -m 0755 "$folder/munge"
    install -o munge -m 0400 <(head -c 512 /dev/urandom) "$folder/munge/key"
    setpriv --reuid munge --regid munge --clear-groups munged --key-file "$folder/munge/key" --socket "$folder/munge/socket" \
        --pid-file "$folder/munge/pid" --log-file "$folder/munge/log" --seed-file "$folder/munge/seed"
}

wait_until_idle() {
    for _ in $(seq 60); do
        if [ "$(sinfo --noheader --partition long --format %T)" = idle ]; then return; fi
        sleep 0.5
    done
    tail -n 20 "$folder"/*.log >&2
    echo "the node is not ready" >&2
    return 1
}

start() {
    for name in slurm.conf gres.conf; do
        if [ -e "$settings/$name" ] || [ -L "$settings/$name" ]; then
            echo "$settings/$name: this machine belongs to a cluster" >&2
            exit 1
        fi
    done
    mkdir -p "$folder"/{state,spool}
    chmod 0755 "$folder"
    write_settings
    start_munge
    slurmctld -c
    slurmd -N "$host"
    wait_until_idle
}

end_jobs() {
    # A job outlives the daemon that has started it.
    timeout 10 scancel --user root || true
    for _ in $(seq 50); do
        if [ -z "$(timeout 10 squeue --noheader || true)" ]; then return; fi
        sleep 0.2
    done
}

stop() {
    end_jobs
    for file in slurmd.pid slurmctld.pid munge/pid; do
        if pid=$(cat "$folder/$file" 2> /dev/null); then
            kill "$pid" || true
            for _ in $(seq 50); do
                kill -0 "$pid" 2> /dev/null || break
                sleep 0.2
            done
        fi
    done
    for name in slurm.conf gres.conf; do
        if [ "$(readlink "$settings/$name")" = "$folder/$name" ]; then rm "$settings/$name"; fi
    done
}

"$command"
