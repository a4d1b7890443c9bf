#!/usr/bin/env bash
# Installs what `cargo xtask dist` made into a bare Debian and starts it there: the archive, the package (installed,
# removed, purged) and the image's root. Needs root and debootstrap.
#   packaging/check.sh target/dist FOLDER [MIRROR]      FOLDER: a debootstrap root, made when it does not exist
set -euo pipefail
dist=$(realpath "$1") base=$2 mirror=${3:-http://deb.debian.org/debian}
[ -e "$base/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$base" "$mirror" >/dev/null
base=$(realpath "$base")
work=$(mktemp -d)
trap 'umount -q "$work/root/proc" || true; rm -rf "$work"' EXIT

fresh() { # a copy of the bare system
  if mountpoint -q "$work/root/proc"; then umount "$work/root/proc"; fi
  rm -rf "$work/root"
  cp -a "$base" "$work/root"
  mount -t proc proc "$work/root/proc"
}
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 chroot "$work/root" "$@"; }
# A NameNode is formatted and a cluster runs on free ports, writes, reads and stops.
works() { # user, program
  inside timeout 60 sh -ec '
    user=$1 hdfs=$2
    as() { if [ "$user" = root ]; then "$@"; else runuser -u "$user" -- "$@"; fi; }
    dir=$(as mktemp -d)
    as "$hdfs" version | head -2
    as env HADOOP_CONF_DIR= "$hdfs" namenode -format -nonInteractive >/tmp/format.log 2>&1 ||
      { cat /tmp/format.log; exit 1; }
    : >/tmp/mini.log
    as "$hdfs" minicluster --dir "$dir/mini" --datanodes 1 >>/tmp/mini.log 2>&1 &
    until grep -q ^ready /tmp/mini.log; do kill -0 $! || { cat /tmp/mini.log; exit 1; }; sleep 0.1; done
    # runuser does not hand signals on.
    cluster=$(for cmd in /proc/[0-9]*/cmdline; do
      { tr "\0" " " <$cmd; } 2>/dev/null | grep -q "^$hdfs minicluster --dir $dir" && basename $(dirname $cmd)
    done) || true
    export HADOOP_CONF_DIR="$dir/mini/conf"
    as "$hdfs" dfs -put /etc/debian_version /v
    test "$(as "$hdfs" dfs -cat /v)" = "$(cat /etc/debian_version)"
    as "${hdfs%hdfs}hadoop" fs -ls / | grep -q /v
    kill $cluster
    wait $! || test $? = 143
  ' works "$@"
}

echo "== archive"
fresh
mkdir -p "$work/root/opt"
tar -xzf "$dist"/tusk-*.tar.gz -C "$work/root/opt"
home=$(cd "$work/root" && echo opt/tusk-*)
inside sh -c "echo | /$home/bin/hdfs getconf -confKey dfs.namenode.name.dir"
works root "/$home/bin/hdfs"

echo "== Debian package"
fresh
cp "$dist"/*.deb "$work/root/tmp/hdfs.deb"
inside dpkg -i /tmp/hdfs.deb
inside id hdfs
works hdfs /usr/bin/hdfs
test "$(inside stat -c %U:%G:%a /var/lib/hadoop-hdfs)" = hdfs:hadoop:750
inside dpkg -i /tmp/hdfs.deb >/dev/null
inside dpkg -V tusk-hdfs
inside dpkg -r tusk-hdfs
test -e "$work/root/etc/hadoop/conf/hdfs-site.xml"
test -d "$work/root/var/lib/hadoop-hdfs/name/current"
inside dpkg -P tusk-hdfs
test ! -e "$work/root/etc/hadoop/conf/hdfs-site.xml"
test -d "$work/root/var/lib/hadoop-hdfs/name/current"
echo "purged; the namespace is still there"

echo "== image"
fresh
cp -a "$dist/image/root/." "$work/root/"
sed -n '/^RUN/,/[^\\]$/p' "$dist/image/Containerfile" | sed '1s/^RUN//' >"$work/root/tmp/run.sh"
inside sh -e /tmp/run.sh
works hdfs /usr/bin/hdfs
echo "everything starts"
