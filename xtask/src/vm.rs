//! `cargo xtask vm`: a guest that has what this host may lack, pure cgroup v2 and SELinux enforcing.
//!
//! 1. The guest is emulated (no KVM), so that it is the same machine on every host.
//! 2. What a guest writes is gone when it ends: its root disk is a snapshot, `/share` is read-only.
//! 3. A guest is always Debian's own kernel, policy and packages: nothing is patched to make a test pass.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

const USAGE: &str = "usage: cargo xtask vm build
       cargo xtask vm run [--share DIR] [--user] [--timeout SECONDS] -- COMMAND [ARGUMENT...]";

/// What the guest holds beyond debootstrap's `minbase`.
const PACKAGES: &str = "busybox-static,ca-certificates,cpio,kmod,policycoreutils,python3,\
                        selinux-policy-default,selinux-utils,tzdata";

/// Modules that the root disk, `/share`, the output and the command come through.
const MODULES: &str = "virtio_pci virtio_blk virtio_console virtiofs qemu_fw_cfg";

/// Where Debian 12, Debian 13 and Fedora keep it; it is on no PATH.
const VIRTIOFSD: [&str; 3] = ["/usr/lib/qemu/virtiofsd", "/usr/libexec/virtiofsd", "/usr/lib/virtiofsd"];

const TOOLS_OF_BUILD: [(&str, &str); 4] =
    [("debootstrap", "debootstrap"), ("mke2fs", "e2fsprogs"), ("unshare", "util-linux"), ("chroot", "coreutils")];
const TOOLS_OF_RUN: [(&str, &str); 2] = [("qemu-system-x86_64", "qemu-system-x86"), ("unshare", "util-linux")];

/// Run once in the new root. The kernel is unpacked, not installed: its package would bring a boot
/// loader's hooks and an initrd generator, and we boot it directly.
const INSTALL: &str = r#"
useradd --create-home --uid 1000 --shell /bin/sh user
apt-get -qq update
cd /tmp
apt-get -qq -o APT::Sandbox::User=root download \
    "$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: //p')"
dpkg-deb -x linux-image-*.deb kernel
mv kernel/lib/modules /usr/lib/modules
mv kernel/boot/vmlinuz-* /boot/vmlinuz
rm -rf kernel linux-image-*.deb /var/lib/apt/lists/* /var/cache/apt/*
depmod "$(ls /lib/modules)"
mkdir /share
"#;

/// Run in the root at every build; `$1` is [`MODULES`].
const FINISH: &str = r#"
cd /usr/lib/gambeson-vm
# Not reloaded (-n): the policy of the host is none of our business.
semodule -n -i gambeson.cil

mkdir -p initrd/bin initrd/dev initrd/root initrd/modules
cp /bin/busybox initrd/bin
mv initrd-init initrd/init
number=10
for module in $1; do modprobe -S "$(ls /lib/modules)" --show-depends "$module"; done |
    while read -r _ path _; do
        # A module that several others need is loaded where it comes first.
        [ -e "initrd/modules/"*"-${path##*/}" ] || cp "$path" "initrd/modules/$number-${path##*/}"
        number=$((number + 1))
    done
(cd initrd && find . | cpio --quiet -o -H newc) | gzip -1 >/boot/initrd.gz
rm -r initrd

# setfiles reaches each file through /proc/self/fd. The host need not know SELinux for this: a label
# is an extended attribute, and mke2fs copies those.
mount -t proc proc /proc
setfiles -m -F /etc/selinux/default/contexts/files/file_contexts /
"#;

const INITRD_INIT: &str = r#"#!/bin/busybox sh
# virtio is modules in Debian's cloud kernel, so the root disk cannot be mounted without this step.
set -e
busybox mount -t devtmpfs dev /dev
for module in /modules/*; do busybox insmod "$module"; done
busybox mount -t ext4 -o noatime /dev/vda /root
busybox umount /dev
exec busybox switch_root /root /usr/lib/gambeson-vm/init
"#;

const INIT: &str = r#"#!/bin/sh
# Pid 1 up to the moment when SELinux enforces. A failure ends pid 1, the kernel panics, and QEMU exits.
set -eu
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sys /sys
mount -t securityfs -o nosuid,nodev,noexec security /sys/kernel/security
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
mount -t devpts -o nosuid,noexec,gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o nosuid,nodev shm /dev/shm
mount -t tmpfs -o nosuid,nodev,mode=755 run /run
mount -t tmpfs -o nosuid,nodev tmp /tmp
for link in fd: stdin:/0 stdout:/1 stderr:/2; do ln -s "/proc/self/fd${link#*:}" "/dev/${link%:*}"; done
busybox hostname gambeson-vm
busybox ip link set lo up

load_policy -i
# These file systems are older than the policy, and no udev labels the devices.
restorecon -RF /dev /run /tmp

# With the options that systemd gives it.
mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
# Whole, not as much as fits a rate limit: a refusal of SELinux is what one comes here to read.
echo 0 >/proc/sys/kernel/printk_ratelimit
mount -t virtiofs -o ro,nosuid,nodev,context=system_u:object_r:usr_t:s0 share /share

# kernel_t may not become a login's domain by the policy, so this step is taken before it is enforced.
exec runcon unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023 sh -eu /usr/lib/gambeson-vm/session
"#;

const SESSION: &str = r#"
# Pid 1 from here on, in the domain and with the range of a login of Debian.
setenforce 1
cat /sys/firmware/qemu_fw_cfg/by_name/opt/gambeson/command/raw >/run/command
read -r account </sys/firmware/qemu_fw_cfg/by_name/opt/gambeson/account/raw

# The cgroup that systemd gives to a service with Delegate=yes, or to one of `systemd-run --user
# --scope -p Delegate=yes`.
case $account in
root) top=system.slice groups="$top vm.service" delegated=vm.service
    controllers='+cpuset +cpu +io +memory +pids' runtime=/run ;;
user) top=user.slice groups="$top user-1000.slice user@1000.service app.slice vm.scope" delegated=user@1000.service
    controllers='+cpu +memory +pids' runtime=/run/user/1000 ;;
esac
mkdir -p "$runtime"
chown "$account:$account" "$runtime"
cd /sys/fs/cgroup
owner=root
for group in $groups; do
    echo "$controllers" >cgroup.subtree_control
    mkdir "$group"
    cd "$group"
    [ "$group" != "$delegated" ] || owner=$account
    chown "$owner:$owner" . cgroup.procs cgroup.threads cgroup.subtree_control
done

# Pipes, since a port can be opened once only, and a program may open /dev/stdout again.
mkfifo /run/stdout /run/stderr
chown "$account" /run/stdout /run/stderr
cat /run/stdout >"$(echo /dev/vport*p1)" &
cat /run/stderr >"$(echo /dev/vport*p2)" &
status=0
(
    echo 0 >cgroup.procs
    cd /share
    home=$(busybox awk -F: -v name="$account" '$1 == name { print $6 }' /etc/passwd)
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        HOME="$home" USER="$account" XDG_RUNTIME_DIR="$runtime" \
        setpriv --reuid="$account" --regid="$account" --init-groups sh /run/command
) </dev/null >/run/stdout 2>/run/stderr || status=$?
# What the command left running would hold the pipes open.
echo 1 >"/sys/fs/cgroup/$top/cgroup.kill"
wait
echo "$status" >"$(echo /dev/vport*p3)"
busybox poweroff -f
"#;

/// `args` are those after `vm`.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace");
    let vm = workspace.join("target/vm");
    match args.split_first() {
        Some((verb, [])) if verb == "build" => build(workspace, &vm),
        Some((verb, rest)) if verb == "run" => {
            let code = boot(&vm, &Guest::parse(workspace, rest)?)?;
            if code != 0 {
                std::process::exit(code);
            }
            Ok(())
        }
        _ => bail!(USAGE),
    }
}

fn build(workspace: &Path, vm: &Path) -> Result<()> {
    require(&TOOLS_OF_BUILD)?;
    require_root()?;
    fs::create_dir_all(vm)?;
    let root = vm.join("root");
    let stamp = vm.join("root.made-by");
    // The slow part is done again only when what it says has changed.
    let made_by = format!("{PACKAGES}\n{INSTALL}");
    if fs::read_to_string(&stamp).ok().as_deref() != Some(made_by.as_str()) {
        // First, so that a build which fails half-way is not taken for the old one.
        remove_if_present(fs::remove_file(&stamp)).context("failed to remove the old stamp")?;
        remove_if_present(fs::remove_dir_all(&root)).context("failed to remove the old root")?;
        let include = format!("--include={PACKAGES}");
        // debootstrap mounts /proc and /sys in the root; they go with the namespace.
        let mut command = Command::new("unshare");
        command.args(["--mount", "debootstrap", "--variant=minbase", &include, "bookworm"]).arg(&root);
        succeed(&mut command)?;
        succeed(&mut inside(&root, INSTALL))?;
        fs::write(&stamp, made_by)?;
    }

    let ours = root.join("usr/lib/gambeson-vm");
    fs::create_dir_all(&ours)?;
    for (name, script) in [("initrd-init", INITRD_INIT), ("init", INIT), ("session", SESSION)] {
        fs::write(ours.join(name), script)?;
        fs::set_permissions(ours.join(name), fs::Permissions::from_mode(0o755))?;
    }
    let policy = workspace.join("policies/selinux/gambeson.cil");
    fs::copy(&policy, ours.join("gambeson.cil")).with_context(|| format!("failed to copy {}", policy.display()))?;
    succeed(inside(&root, FINISH).arg(MODULES))?;

    for (from, to) in [("boot/vmlinuz", "vmlinuz"), ("boot/initrd.gz", "initrd.gz")] {
        fs::copy(root.join(from), vm.join(to)).with_context(|| format!("failed to copy {from}"))?;
    }
    // A new file and a rename: a guest that runs keeps the image that it has open.
    let image = vm.join("root.ext4.new");
    remove_if_present(fs::remove_file(&image)).context("failed to remove an unfinished image")?;
    succeed(Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(&root).arg(&image).arg("1G"))?;
    fs::rename(&image, vm.join("root.ext4"))?;
    Ok(())
}

/// `script` in `root`, in a mount namespace of its own, so that no mount outlives it.
fn inside(root: &Path, script: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "chroot"]).arg(root).args(["sh", "-euc", script, "sh"]);
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
    command
}

struct Guest {
    share: PathBuf,
    account: &'static str,
    timeout: Duration,
    command: String,
}

impl Guest {
    fn parse(workspace: &Path, args: &[String]) -> Result<Guest> {
        let (mut share, mut account, mut timeout) = (workspace.to_owned(), "root", Duration::from_secs(300));
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--share" => share = PathBuf::from(args.next().context(USAGE)?),
                "--user" => account = "user",
                "--timeout" => timeout = Duration::from_secs(args.next().context(USAGE)?.parse().context(USAGE)?),
                "--" => break,
                _ => bail!(USAGE),
            }
        }
        let words: Vec<String> = args.map(|word| format!("'{}'", word.replace('\'', r"'\''"))).collect();
        ensure!(!words.is_empty(), USAGE);
        let share = share.canonicalize().with_context(|| format!("failed to find {}", share.display()))?;
        Ok(Guest { share, account, timeout, command: format!("exec {}\n", words.join(" ")) })
    }
}

/// Boots the guest, runs its command, and answers with the command's exit code.
fn boot(vm: &Path, guest: &Guest) -> Result<i32> {
    require(&TOOLS_OF_RUN)?;
    require_root()?;
    let virtiofsd = VIRTIOFSD.iter().find(|path| Path::new(path).exists()).context(
        "missing on this host: virtiofsd, of the package qemu-system-common (Debian 12) or virtiofsd (since)",
    )?;
    ensure!(vm.join("root.ext4").exists(), "there is no image yet: run `cargo xtask vm build`");
    // QEMU and virtiofsd get names relative to this directory: a socket's name must be short, and a
    // comma in a path would end QEMU's option.
    let directory = vm.join(format!("run-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let code = boot_in(&directory, guest, virtiofsd);
    fs::remove_dir_all(&directory).with_context(|| format!("failed to remove {}", directory.display()))?;
    code
}

fn boot_in(directory: &Path, guest: &Guest, virtiofsd: &str) -> Result<i32> {
    let deadline = Instant::now() + guest.timeout;
    fs::write(directory.join("command"), &guest.command)?;
    fs::write(directory.join("account"), format!("{}\n", guest.account))?;

    // The mount is read-only on our side of the border: root in the guest could remount its own.
    let share = r#"mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"
        exec "$2" --socket-path=share.sock -o source="$1" -o cache=auto >share.log 2>&1"#;
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-euc", share, "sh"]).arg(&guest.share).arg(virtiofsd);
    let mut share = Running::start("virtiofsd", command.stdin(Stdio::null()).current_dir(directory))?;
    while !directory.join("share.sock").exists() {
        if share.ended_before(deadline)?.is_some() {
            bail!("virtiofsd ended: {}", fs::read_to_string(directory.join("share.log"))?.trim());
        }
    }

    let mut command = Command::new("qemu-system-x86_64");
    // `max` without five-level page tables, which cost an emulated walk each and nobody here needs.
    command.args(["-M", "q35,memory-backend=memory", "-accel", "tcg", "-cpu", "max,la57=off"]);
    command.args(["-smp", "2", "-m", "2G", "-object", "memory-backend-memfd,id=memory,size=2G,share=on"]);
    command.args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"]);
    command.args(["-kernel", "../vmlinuz", "-initrd", "../initrd.gz", "-append"]);
    command.arg("console=ttyS0 loglevel=6 panic=-1 cgroup_no_v1=all lsm=landlock,lockdown,yama,integrity,selinux,bpf");
    command.args(["-serial", "file:../console.log", "-drive", "file=../root.ext4,format=raw,if=virtio,snapshot=on"]);
    command.args(["-chardev", "socket,id=share,path=share.sock"]);
    command.args(["-device", "vhost-user-fs-pci,chardev=share,tag=share", "-device", "virtio-serial-pci"]);
    for (number, port, path) in [("1", "out", "/dev/stdout"), ("2", "err", "/dev/stderr"), ("3", "status", "status")] {
        command.arg("-chardev").arg(format!("file,id={port},path={path},append=on"));
        command.arg("-device").arg(format!("virtserialport,nr={number},chardev={port},name={port}"));
    }
    for name in ["command", "account"] {
        command.arg("-fw_cfg").arg(format!("name=opt/gambeson/{name},file={name}"));
    }
    // Pipes of ours, since QEMU opens /dev/stdout by name, which a socket would not allow.
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir(directory);
    let mut qemu = Running::start("qemu-system-x86_64", &mut command)?;
    let mut stdout = qemu.0.stdout.take().expect("piped above");
    let mut stderr = qemu.0.stderr.take().expect("piped above");
    let copies = [
        thread::spawn(move || io::copy(&mut stdout, &mut io::stdout()).map(drop)),
        thread::spawn(move || io::copy(&mut stderr, &mut io::stderr()).map(drop)),
    ];
    let ended = loop {
        if let Some(status) = qemu.ended_before(deadline)? {
            break status;
        }
    };
    for copy in copies {
        copy.join().expect("io::copy does not panic").context("failed to pass the guest's output on")?;
    }
    let status = fs::read_to_string(directory.join("status")).unwrap_or_default();
    match status.trim().parse() {
        Ok(code) => Ok(code),
        Err(_) => bail!("the guest ended without a status (QEMU: {ended}); see target/vm/console.log"),
    }
}

/// A process that does not outlive us.
struct Running(Child);

impl Running {
    fn start(name: &str, command: &mut Command) -> Result<Running> {
        command.spawn().map(Running).with_context(|| format!("failed to start {name}"))
    }

    /// How it ended, if it did within the next moment.
    fn ended_before(&mut self, deadline: Instant) -> Result<Option<ExitStatus>> {
        ensure!(Instant::now() < deadline, "the time ran out; see target/vm/console.log");
        thread::sleep(Duration::from_millis(20));
        Ok(self.0.try_wait()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended, which is what we want.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn remove_if_present(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Names every missing tool at once, with the Debian package that has it.
fn require(tools: &[(&str, &str)]) -> Result<()> {
    let path = std::env::var("PATH").unwrap_or_default();
    let found = |tool: &str| path.split(':').any(|directory| Path::new(directory).join(tool).exists());
    let missing: Vec<String> = tools
        .iter()
        .filter(|(tool, _)| !found(tool))
        .map(|(tool, package)| format!("{tool}, of the package {package}"))
        .collect();
    ensure!(missing.is_empty(), "missing on this host: {}", missing.join("; "));
    Ok(())
}

/// debootstrap and the read-only mount of the shared directory need it.
fn require_root() -> Result<()> {
    ensure!(fs::metadata("/proc/self")?.uid() == 0, "`cargo xtask vm` works only as root");
    Ok(())
}

fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("failed to start {name}"))?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}
