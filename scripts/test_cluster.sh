#!/usr/bin/env bash
# Runs one sweep over shards under a real Slurm and a real Open MPI of this machine alone, also with
# a shard killed and requeued, and compares the tables with those of a single process.
# As root on Debian 12; installs slurm-wlm, munge and openmpi-bin. Usage: test_cluster.sh [PROGRAM]
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/setup.sh

[ "$(id -u)" -eq 0 ] || { echo "test_cluster: Slurm's daemons need root" >&2; exit 2; }
install_missing slurmctld slurmd slurm-client munge openmpi-bin
program=${1:-}
if [ -z "$program" ]; then
  build release
  program=$PWD/build/release/tessera
fi

work=$(mktemp -d /tmp/tessera_cluster.XXXXXX)
shards=4
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

cat >"$work/cluster.yaml" <<'EOF'
# Twelve small machines for a small vision tower.
run: {base: siglip_edge, workload: {model: {base: siglip_b16_512, num_hidden_layers: 2, image_size: 512}}}
axes:
  channels: {values: [1, 2], sets: hardware.dram.channels}
  sram: {values: [64 KiB, 128 KiB, 256 KiB], sets: hardware.buffers.activations.capacity}
  lanes: {values: [16, 32], sets: hardware.vector.lanes}
minimize: [latency, hardware.sram_bytes]
EOF

# same DIR: its tables are those of the single process.
same() {
  "$program" sweep merge "$work/$1" >/dev/null
  for table in points.csv report.json report.txt; do
    cmp "$work/single/$table" "$work/$1/$table"
  done
  echo "test_cluster: $1: the tables are those of one process"
}

# within SECONDS COMMAND...: waits until the command succeeds.
within() {
  local seconds=$1
  shift
  for ((i = 0; i < 10 * seconds; ++i)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  echo "test_cluster: '$*' did not come true within $seconds s" >&2
  exit 1
}

start_slurm() {
  local host cpus
  host=$(hostname -s)
  cpus=$(nproc)
  mkdir -p "$work/munge" "$work/state" "$work/spool"
  chmod 755 "$work"
  dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
  chown -R munge: "$work/munge"
  chmod 700 "$work/munge"
  chmod 400 "$work/munge/key"
  mkdir -p "$work/socket"
  chown munge: "$work/socket"
  chmod 755 "$work/socket"
  setpriv --reuid munge --regid munge --clear-groups munged --foreground \
    --key-file "$work/munge/key" --socket "$work/socket/munge.socket" \
    --pid-file "$work/munge/pid" --log-file "$work/munge/log" --seed-file "$work/munge/seed" &
  started+=($!)
  cat >"$work/slurm.conf" <<EOF
ClusterName=tessera
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=26817
SlurmdPort=26818
AuthType=auth/munge
AuthInfo=socket=$work/socket/munge.socket
CryptoType=crypto/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MinJobAge=300
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
  export SLURM_CONF=$work/slurm.conf
  within 20 test -S "$work/socket/munge.socket"
  slurmctld -D &
  started+=($!)
  within 30 scontrol ping
  slurmd -D &
  started+=($!)
  within 60 bash -c 'sinfo -h -o %T | grep -qE "idle|mixed"'
}

queue_is_empty() { [ -z "$(squeue -h -r)" ]; }

submit_to_slurm() {
  "$program" sweep submit "$work/cluster.yaml" --engine slurm --shards $shards --jobs 1 \
    --out "$work/$1" 2>/dev/null | sed -n 's/^Submitted batch job //p'
}

"$program" sweep "$work/cluster.yaml" --out "$work/single" >/dev/null

echo "test_cluster: Open MPI $(mpirun --version | sed -n '1s/.* //p')"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1
"$program" sweep submit "$work/cluster.yaml" --engine mpi --shards $shards --jobs 1 \
  --out "$work/mpi" >/dev/null 2>&1
same mpi

start_slurm
echo "test_cluster: $(sinfo --version)"
submit_to_slurm slurm >/dev/null
within 300 queue_is_empty
same slurm

job=$(submit_to_slurm requeued)
task_runs() { [ -n "$(squeue -h -j "${job}_0" -t RUNNING)" ]; }
within 60 task_runs
within 60 test -e "$work/requeued/shard_1_of_$shards.sqlite"
scontrol requeue "${job}_0"   # kills the task and queues it again
echo "test_cluster: task ${job}_0 was killed and requeued"
within 400 queue_is_empty
[ "$(grep -c 'shard 1 of' "$work/requeued/slurm_0.log")" -eq 1 ]
same requeued
