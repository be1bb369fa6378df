# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2054
# Runs one guest: makes its run directory, starts QEMU, passes output and status on, and judges
# the kernel log. Called by exec, shell and demo; owns the run directory (a temporary one) and QEMU.

# The settings of a run, with their defaults; `lab exec` options change them.
VM_KERNEL=${LAB_KERNEL:-6.1}
VM_CPUS=2
VM_MEM=2048M
VM_TIMEOUT=300
VM_ICOUNT=0
VM_BARE=0
VM_UDEV=0
VM_STRICT=${LAB_STRICT:-0}
VM_SHELL=0
VM_ENV=()
VM_DISKS=()
VM_SINK=
VM_CUT=

# What comes out of a guest, each through a virtio port of its own into a file of the run directory.
# The order is guest-run's.
PORTS=(stdout stderr kmsg runner.log note status)

# What a healthy kernel never says. Matched against the text of each message.
SPLAT='^WARNING: |BUG: |^BUG [^ ]+ \(|kernel BUG at|Oops|general protection|possible .* detected|KASAN|KFENCE: '
SPLAT+='|blocked for more than|soft lockup|hard LOCKUP|detected stalls|self-detected stall'
SPLAT+='|UBSAN|refcount_t: |list_(add|del) corruption|Kernel panic'
# Not a splat, but a nexus that tcm_loop has lost for good.
SPLAT+='|Unable to remove TCM_Loop I_T Nexus'
SPLAT+='|inconsistent lock state|suspicious RCU usage|scheduling while atomic|Bad page state'
SPLAT+='|register non-static key|lockdep is turned off|leak detector disabled|held when returning to user space'
SPLAT+='|workqueue lockup|nobody cared|unable to handle|invalid wait context'

# words of QEMU's command line that depend on how the guest's CPU is made
accel_args() {
    if ((VM_ICOUNT)); then
        # TCG counts every byte of a `rep movsb`: without erms the kernel copies by other means.
        printf '%s\n' -icount shift=0,sleep=off -smp 1 -accel tcg,thread=single -cpu max,-erms,-fsrm
    elif kvm_works; then
        printf '%s\n' -smp "$VM_CPUS" -accel kvm -cpu host
    else
        printf '%s\n' -smp "$VM_CPUS" -accel "tcg,thread=multi" -cpu max,la57=off
    fi
}

# /dev/kvm can be there and yet a guest hang in it: only a guest that ran tells. The answer is kept.
kvm_works() {
    local cached=$LAB_CACHE/kvm key
    [[ ${VM_ACCEL:-} != kvm ]] || return 0
    [[ ${VM_ACCEL:-} != tcg && -r /dev/kvm && -w /dev/kvm ]] || return 1
    key="$(uname -r) $("${QEMU_PROGRAM[0]}" --version | head -n 1)"
    if [[ ! -s $cached || $(sed 1d "$cached") != "$key" ]]; then
        log "trying whether a guest runs under KVM (20 s at most; asked once)"
        if TMPDIR=$VM_DIR VM_ACCEL=kvm "$LAB" exec --bare --timeout 20 -- true >/dev/null 2>&1; then
            printf 'yes\n%s\n' "$key" >"$cached"
        else
            log "it does not: guests run under TCG, which is slow but works"
            printf 'no\n%s\n' "$key" >"$cached"
        fi
    fi
    [[ $(head -n 1 "$cached") == yes ]]
}

kernel_cmdline() {
    # An oops ends the guest at once, as the lock that it may hold would hang everything else.
    printf '%s' "console=ttyS0 panic=-1 oops=panic rdinit=/init mitigations=off"
    # Calibrating clocks takes seconds under TCG, and goes wrong; every device is on bus 0.
    printf ' %s' tsc=reliable lpj=2000000 no_timer_check pci=lastbus=0
    printf ' %s' apparmor=0 audit=0 random.trust_cpu=on log_buf_len=2M cryptomgr.notests damon_stat.enabled=N
    # On a busy host a virtual CPU may get no time for half a minute, which is not the guest's fault.
    printf ' %s' rcupdate.rcu_cpu_stall_timeout=100 watchdog_thresh=60
    # A virtual CPU that misses an interrupt must not sleep for ever: with a tick it notices soon.
    if ((VM_ICOUNT)); then printf ' nokaslr'; else printf ' nohz=off highres=off'; fi
    # Under icount the counter is QEMU's own, and KVM tells its guest.
    if ((VM_ICOUNT == 0)) && ! kvm_works; then clock_cmdline; fi
    [[ ${LAB_VERBOSE:-0} != 0 ]] || printf ' quiet'
    label_cmdline "$VM_KERNEL"
    [[ -z ${LAB_CMDLINE:-} ]] || printf ' %s' "$LAB_CMDLINE"
}

guest_env() {
    local name
    printf '%s\0' "PATH=$LAB_BUILD/runner:$LAB_BUILD/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
        HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}" "LAB=$LAB" LAB_GUEST=1 \
        "LAB_KERNEL=$VM_KERNEL" "LAB_TOP=$LAB_TOP" "LAB_BUILD=$LAB_BUILD" \
        "SCUSE_PLUGIN_DIR=$LAB_BUILD/handlers"
    # The port behind those of PORTS.
    [[ -z $VM_SINK ]] || printf '%s\0' "LAB_SINK=/dev/vport0p$((${#PORTS[@]} + 1))"
    for name in "${VM_ENV[@]}"; do
        if [[ $name == *=* ]]; then
            printf '%s\0' "$name"
        elif [[ -v $name ]]; then
            printf '%s\0' "$name=${!name}"
        fi
    done
}

# make_run_dir CMD...: all that guest-run reads
make_run_dir() {
    VM_DIR=$(mktemp -d "${TMPDIR:-/tmp}/scuse-lab.XXXXXX")
    mkdir "$VM_DIR/run"
    touch "${PORTS[@]/#/$VM_DIR/}"
    cp -- "$LAB_DIR/lib/guest-run" "$VM_DIR/run/guest-run"
    printf '%s\n' "$(kernel_modules "$VM_KERNEL")" >"$VM_DIR/run/modules"
    printf '%s\0' "$@" >"$VM_DIR/run/argv"
    guest_env >"$VM_DIR/run/env"
    {
        printf '%s=%q\n' LAB_LABEL "$VM_KERNEL" LAB_BUILD "$LAB_BUILD" LAB_PWD "$PWD" \
            LAB_BARE "$VM_BARE" LAB_UDEV "$VM_UDEV" LAB_STRICT "$VM_STRICT" LAB_LIMIT "$VM_TIMEOUT" \
            LAB_DISKS "${#VM_DISKS[@]}" LAB_SHELL "$VM_SHELL" LAB_MODULE_ARGS "${LAB_MODULE_ARGS:-}"
        if ((VM_SHELL)) && [[ -t 0 ]]; then
            stty size | { read -r rows cols && printf 'LAB_ROWS=%s\nLAB_COLS=%s\n' "$rows" "$cols"; }
        fi
    } >"$VM_DIR/run/conf"
}

# A comma ends a value in QEMU's options unless doubled.
qemu_quote() { printf '%s' "${1//,/,,}"; }

# words of QEMU's command line for disks and for the sink. A disk's cache is the host's, so what the
# guest has written to an image stays even if QEMU is killed.
storage_args() {
    local i file
    for ((i = 0; i < ${#VM_DISKS[@]}; i++)); do
        file=${VM_DISKS[i]}
        [[ $file == *://* ]] || file=$(realpath -- "$file")
        printf '%s\n' -drive "if=none,id=disk$i,format=raw,cache=writeback,file=$(qemu_quote "$file")" \
            -device "virtio-blk-pci,drive=disk$i"
    done
    [[ -n $VM_SINK ]] || return 0
    printf '%s\n' -chardev "file,id=sink,append=on,path=$(qemu_quote "$(realpath -- "$VM_SINK")")" \
        -device "virtserialport,bus=ports.0,nr=$((${#PORTS[@]} + 1)),chardev=sink,name=lab.sink"
}

qemu_command() {
    local -a accel storage
    local i
    qemu_find
    mapfile -t accel < <(accel_args)
    mapfile -t storage < <(storage_args)
    QEMU=("${QEMU_PROGRAM[@]}" -nodefaults -no-user-config -display none -no-reboot
        -machine "q35,usb=off,vmport=off,hpet=off" "${accel[@]}" -m "$VM_MEM"
        -kernel "$(kernel_image "$VM_KERNEL")" -initrd "$(kernel_dir "$VM_KERNEL")/initrd.cpio"
        -append "$(kernel_cmdline)"
        # The first virtio device, which makes its ports /dev/vport0p*. Without ioeventfd a write is in
        # the file when the guest's write call returns.
        -device virtio-serial-pci,id=ports,ioeventfd=off
        -chardev "file,id=console,path=$(qemu_quote "$VM_DIR/console.log")" -serial chardev:console
        -fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap"
        -device virtio-9p-pci,fsdev=root,mount_tag=root
        -fsdev "local,id=run,path=$(qemu_quote "$VM_DIR/run"),security_model=none,readonly=on"
        -device virtio-9p-pci,fsdev=run,mount_tag=run
        -device virtio-rng-pci)
    for ((i = 0; i < ${#PORTS[@]}; i++)); do
        QEMU+=(-chardev "file,id=port$i,path=$(qemu_quote "$VM_DIR/${PORTS[i]}")"
            -device "virtserialport,bus=ports.0,nr=$((i + 1)),chardev=port$i,name=lab.${PORTS[i]}")
    done
    QEMU+=("${storage[@]}" -pidfile "$VM_DIR/pid")
    if ((VM_SHELL)); then
        QEMU+=(-chardev stdio,id=shell,signal=off -serial chardev:shell)
    fi
}

# cut_power BYTES: kills QEMU VM_CUT milliseconds after its sink has grown beyond BYTES.
cut_power() {
    until (($(stat -c %s -- "$VM_SINK") > $1)); do
        kill -0 "$VM_PID" 2>/dev/null || return 0
        sleep 0.02
    done
    sleep "$((VM_CUT / 1000)).$(printf %03d $((VM_CUT % 1000)))"
    ! kill -KILL "$(<"$VM_DIR/pid")" 2>/dev/null || touch "$VM_DIR/cut"
}

stop_process() { kill "$1" 2>/dev/null || true; }

# Passes a growing file on while QEMU runs; ends by itself, with all of it, when QEMU has ended.
# (QEMU truncates it when it starts, which tail would mention.)
follow() { tail -c +1 -f -s 0.1 --pid="$VM_PID" -- "$1" 2>/dev/null & }

# vm_run CMD...: sets VM_STATUS
vm_run() {
    local out err cutter='' status=0
    make_run_dir "$@"
    [[ -z $VM_SINK ]] || touch -- "$VM_SINK"
    on_exit drop_run_dir
    qemu_command
    # `timeout` also ends a QEMU whose lab was killed so that it could not clean up.
    if ((VM_SHELL)); then
        timeout --foreground -k 5 "$VM_TIMEOUT" "${QEMU[@]}" 2>"$VM_DIR/qemu.log" || status=$?
    else
        timeout -k 5 "$VM_TIMEOUT" "${QEMU[@]}" </dev/null >/dev/null 2>"$VM_DIR/qemu.log" &
        VM_PID=$!
        on_exit stop_process "$VM_PID"
        if [[ -n $VM_CUT ]]; then
            cut_power "$(stat -c %s -- "$VM_SINK")" &
            cutter=$!
            on_exit stop_process "$cutter"
        fi
        follow "$VM_DIR/stdout"
        out=$!
        on_exit stop_process "$out"
        follow "$VM_DIR/stderr" >&2
        err=$!
        on_exit stop_process "$err"
        # Without the shell's own word on a QEMU that was killed.
        { wait "$VM_PID"; } 2>/dev/null || status=$?
        wait "$out" "$err" || true
        [[ -z $cutter ]] || wait "$cutter" || true
    fi
    judge "$status"
}

# Kernel messages as text: the stream's, then the console's.
kernel_log() {
    if [[ -s $VM_DIR/kmsg ]]; then
        sed -nE '/;lab-end-of-run/q; s/^[0-9]+,[0-9]+,[0-9]+,[^;]*;(.*)$/\1/p' "$VM_DIR/kmsg"
    fi
    # Reaches further than the stream when the guest died.
    sed -E 's/\r$//; s/^\[[^]]*\] //; /^sysrq: Resetting/d' "$VM_DIR/console.log" 2>/dev/null || true
}

# The splat with what follows it, which tells where it happened.
splats() { kernel_log | grep -aE -A 45 -- "$SPLAT" | head -n 150; }

show_file() {
    [[ -s $2 ]] || return 0
    log "$1:"
    tail -n 40 -- "$2" | sed 's/^/    /' >&2
}

# judge QEMU_STATUS: what the run comes to, told on stderr when it is not plain success or failure
# of the command.
judge() {
    local said="" splat
    [[ ! -s $VM_DIR/status ]] || said=$(<"$VM_DIR/status")
    VM_KEEP=1
    splat=$(splats) || true
    if [[ -n $splat ]]; then
        log "the kernel complained (the command's status was: ${said:-none}):"
        printf '%s\n' "$splat" >&2
        VM_STATUS=$LAB_FAILED
    elif [[ -z $said && -e $VM_DIR/cut ]]; then
        VM_STATUS=$LAB_CUT VM_KEEP=0
        return
    elif [[ -z $said && ($1 == 124 || $1 == 137) ]]; then
        log "timed out after $VM_TIMEOUT s (--timeout)"
        VM_STATUS=$LAB_TIMEOUT
    elif [[ -z $said ]]; then
        log "the guest ended before the command did (QEMU's status $1)"
        show_file "QEMU said" "$VM_DIR/qemu.log"
        show_file "the console's end" "$VM_DIR/console.log"
        VM_STATUS=$LAB_FAILED
    elif [[ $said == lab ]]; then
        show_file "the lab failed in the guest" "$VM_DIR/note"
        log "the kernel's last messages:"
        kernel_log | tail -n 12 | sed 's/^/    /' >&2
        VM_STATUS=$LAB_FAILED
    else
        VM_STATUS=$said
        [[ $said != 0 && $VM_SHELL == 0 ]] || VM_KEEP=0
        show_note
    fi
    if [[ $VM_STATUS != 0 || ${LAB_VERBOSE:-0} != 0 ]]; then
        show_file "the runner's log" "$VM_DIR/runner.log"
    fi
    [[ $VM_KEEP == 0 ]] || log "logs of this guest: $VM_DIR (console.log, kmsg, runner.log)"
}

show_note() {
    [[ -s $VM_DIR/note ]] || return 0
    show_file "from the guest" "$VM_DIR/note"
    if grep -q 'unreferenced object' "$VM_DIR/note"; then
        VM_STATUS=$LAB_FAILED VM_KEEP=1
    fi
}

# Logs stay when something went wrong; the command's own output and settings do not.
drop_run_dir() {
    if [[ ${VM_KEEP:-0} == 0 ]]; then
        rm -rf -- "$VM_DIR"
    else
        rm -rf -- "$VM_DIR/run"
        rm -f -- "$VM_DIR/stdout" "$VM_DIR/stderr"
    fi
}
