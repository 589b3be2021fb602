#!/bin/bash
# A made-up Slurm of two nodes on one machine, for a job script: each node has a network address, processes and a
# /tmp/ray of its own. To be started as root, so that everything ends with it:
#
#   unshare --net --mount --pid --fork --mount-proc bash two_nodes.sh FOLDER SCRIPT
set -euo pipefail
folder=$1 script=$2
mkdir -p /run/netns "$folder/bin"
mount -t tmpfs tmpfs /run/netns
ip link set lo up
ip netns add second
ip link add here type veth peer name there netns second
ip addr add 10.77.0.1/24 dev here
ip link set here up
ip -n second addr add 10.77.0.2/24 dev there
ip -n second link set there up
ip -n second link set lo up

cat > "$folder/bin/scontrol" <<'END'
#!/bin/bash
printf '10.77.0.1\n10.77.0.2\n'
END
cat > "$folder/bin/alone" <<'END'
#!/bin/bash
mkdir -p /tmp/ray
mount -t tmpfs tmpfs /tmp/ray
"$@" # as a child: this shell is the node's first process, and buries the others
exit $?
END
cat > "$folder/bin/srun" <<'END'
#!/bin/bash
node=(unshare --mount --pid --fork --mount-proc alone)
ip netns exec second "${node[@]}" "$@" &
"${node[@]}" "$@"
ended=$?
wait
exit $ended
END
chmod +x "$folder"/bin/*
cd "$folder"
export PATH="$folder/bin:$PATH" SLURM_JOB_NODELIST='node[1-2]' SLURM_JOB_NUM_NODES=2
bash "$script"
