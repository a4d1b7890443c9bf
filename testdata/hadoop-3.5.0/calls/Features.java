// Calls about snapshots, lists, attributes, policies, pools and zones, on paths of every reserved kind, each answer or error
// printed, as Calls.java does: run on any cluster of one DataNode with the settings of features.conf, the output must be that
// of Apache's (features.txt).
import java.util.*;
import java.util.concurrent.Callable;
import java.security.PrivilegedExceptionAction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.fs.permission.*;
import org.apache.hadoop.hdfs.*;
import org.apache.hadoop.hdfs.protocol.*;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.hadoop.io.EnumSetWritable;

public class Features {
  static final String ME = System.getProperty("user.name");
  static DistributedFileSystem fs;
  static ClientProtocol nn;

  static String clean(String s) {
    if (s == null) return "null";
    return s.replaceAll("hdfs://127.0.0.1:\\d+", "hdfs://X").replaceAll("DFSClient_NONMAPREDUCE_-?\\d+_\\d+", "CLIENT")
        .replaceAll("blk_-?\\d+_\\d+", "BLK").replaceAll("inode \\d+", "inode N").replaceAll("\\.inodes/1\\d{4}\\b", ".inodes/ID")
        .replaceAll("BP-[0-9.-]+", "BP").replaceAll("/127.0.0.1:\\d+", "ADDR").replaceAll("127.0.0.1:\\d+", "ADDR")
        .replaceAll("(?s)\\n.*", "").replaceAll("\\d{13}", "TIME").replaceAll(" for operation \\w+", "").replaceAll("s\\d{8}-\\d{6}\\.\\d{3}", "sTIME")
        .replaceAll("(sticky bit: .*parent=\"[^\"]*\":[^:]*:[^:]*):.*", "$1").replaceAll("\\b" + ME + "\\b", "root");
  }

  static void t(String name, Callable<Object> call) {
    String answer;
    try {
      answer = "= " + show(call.call());
    } catch (org.apache.hadoop.ipc.RemoteException e) {
      answer = "! " + e.getClassName() + ": " + clean(e.getMessage());
    } catch (Throwable e) {
      answer = "! local " + e.getClass().getName() + ": " + clean(e.getMessage());
    }
    System.out.println(clean(name) + "\n   " + answer);
  }

  interface Quiet {
    void run() throws Exception;
  }

  static void d(String name, Quiet call) {
    t(name, () -> {
      call.run();
      return "done";
    });
  }

  static String show(Object o) {
    if (o == null) return "null";
    if (o instanceof byte[]) return Arrays.toString((byte[]) o);
    if (o instanceof HdfsFileStatus) {
      HdfsFileStatus s = (HdfsFileStatus) o;
      return (s.isDirectory() ? "d" : s.isSymlink() ? "l" : "-") + s.getPermission() + " " + s.getReplication() + " " + clean(s.getOwner())
          + ":" + s.getGroup() + " " + s.getLen() + " ch" + s.getChildrenNum() + " sp" + s.getStoragePolicy() + " [" + clean(s.getLocalName()) + "] "
          + (s.hasAcl() ? "acl " : "") + (s.isSnapshotEnabled() ? "snap " : "") + (s.isErasureCoded() ? "ec " : "")
          + (s.getErasureCodingPolicy() == null ? "" : s.getErasureCodingPolicy().getName());
    }
    if (o instanceof DirectoryListing) {
      StringBuilder b = new StringBuilder("remaining " + ((DirectoryListing) o).getRemainingEntries());
      for (HdfsFileStatus s : ((DirectoryListing) o).getPartialListing()) b.append("\n      ").append(show(s));
      return b.toString();
    }
    if (o instanceof BatchedDirectoryListing) {
      BatchedDirectoryListing listing = (BatchedDirectoryListing) o;
      StringBuilder b = new StringBuilder("more " + listing.hasMore() + " from " + (listing.getStartAfter().length > 0));
      for (HdfsPartialListing part : listing.getListings()) {
        b.append("\n      ").append(part.getParentIdx()).append(' ');
        if (part.getException() != null) b.append(part.getException().getClassName() + ": " + clean(part.getException().getMessage()));
        else for (HdfsFileStatus s : part.getPartialListing()) b.append(" | ").append(show(s));
      }
      return b.toString();
    }
    if (o instanceof SnapshotStatus[]) {
      StringBuilder b = new StringBuilder();
      for (SnapshotStatus s : (SnapshotStatus[]) o) b.append("\n      ").append(show(s.getDirStatus())).append(" in ").append(new String(s.getParentFullPath()));
      return b.toString();
    }
    if (o instanceof SnapshottableDirectoryStatus[]) {
      StringBuilder b = new StringBuilder();
      for (SnapshottableDirectoryStatus s : (SnapshottableDirectoryStatus[]) o)
        b.append("\n      ").append(s.getFullPath()).append(' ').append(s.getSnapshotNumber()).append(' ').append(s.getSnapshotQuota()).append(' ').append(show(s.getDirStatus()));
      return b.toString();
    }
    if (o instanceof SnapshotDiffReportListing) {
      SnapshotDiffReportListing l = (SnapshotDiffReportListing) o;
      return l.getModifyList().size() + " " + l.getCreateList().size() + " " + l.getDeleteList().size() + " next [" + new String(l.getLastPath()) + "] " + l.getLastIndex() + " " + l.getIsFromEarlier();
    }
    if (o instanceof SnapshotDiffReport) return o.toString().trim().replace("\n", "\n      ");
    if (o instanceof CorruptFileBlocks) return ((CorruptFileBlocks) o).getFiles().length + " " + ((CorruptFileBlocks) o).getCookie();
    if (o instanceof LocatedBlocks) return "len " + ((LocatedBlocks) o).getFileLength() + " n " + ((LocatedBlocks) o).getLocatedBlocks().size();
    if (o instanceof Object[]) return Arrays.toString((Object[]) o);
    return clean(o.toString());
  }

  static void as(String user, String... groups) throws Exception {
    UserGroupInformation ugi = UserGroupInformation.createUserForTesting(user, groups);
    Configuration conf = new Configuration();
    fs = (DistributedFileSystem) ugi.doAs((PrivilegedExceptionAction<FileSystem>) () -> FileSystem.newInstance(FileSystem.getDefaultUri(conf), conf));
    nn = fs.getClient().getNamenode();
    System.out.println("---- as " + clean(user));
  }

  static void write(String path, int length) throws Exception {
    try (FSDataOutputStream out = fs.create(new Path(path), true, 4096, (short) 1, 1048576)) {
      out.write(new byte[length]);
    }
  }

  static FsPermission perm(int mode) {
    return new FsPermission((short) mode);
  }

  static EnumSetWritable<CreateFlag> flags(CreateFlag... flags) {
    return new EnumSetWritable<>(EnumSet.copyOf(Arrays.asList(flags)), CreateFlag.class);
  }

  static List<AclEntry> acl(String spec) {
    return AclEntry.parseAclSpec(spec, true);
  }

  static XAttr xattr(String name) {
    return XAttrHelper.buildXAttr(name, new byte[] {1});
  }

  static List<String> paths() throws Exception {
    long dir = fs.getClient().getFileInfo("/s").getFileId();
    long file = fs.getClient().getFileInfo("/s/f").getFileId();
    return List.of("/s", "/s/f", "/s/d", "/s/none", "/s/f/x", "/s/.snapshot", "/s/.snapshot/s1", "/s/.snapshot/s1/f", "/s/.snapshot/s1/d",
        "/s/.snapshot/s1/none", "/s/.snapshot/none", "/s/.snapshot/none/x", "/s/d/.snapshot", "/s/d/.snapshot/s1", "/s/f/.snapshot", "/s/f/.snapshot/s1",
        "/plain", "/plain/.snapshot", "/plain/.snapshot/s1", "/.snapshot", "/.reserved", "/.reserved/", "/.reserved/x", "/.reserved/raw", "/.reserved/raw/s", "/.reserved/raw/s/f",
        "/.reserved/raw/s/none", "/.reserved/raw/s/.snapshot", "/.reserved/raw/s/.snapshot/s1/f", "/.reserved/raw/.reserved/raw/s", "/.reserved/raw/.snapshot",
        "/.reserved/.inodes", "/.reserved/.inodes/", "/.reserved/.inodes/" + dir, "/.reserved/.inodes/" + file, "/.reserved/.inodes/" + dir + "/f",
        "/.reserved/.inodes/" + dir + "/none", "/.reserved/.inodes/" + file + "/f", "/.reserved/.inodes/" + dir + "/.snapshot/s1/f", "/.reserved/.inodes/" + dir + "/..",
        "/.reserved/.inodes/" + file + "/..", "/.reserved/.inodes/999999", "/.reserved/.inodes/-1", "/.reserved/.inodes/0", "/.reserved/.inodes/x", "/.reserved/.inodes/16385/..", "/.reserved/raw/.reserved/.inodes/" + file,
        "relative", "", "/s/../s", "/s/a:b", "/s//f", "/s/f/");
  }

  static void reads(String q) {
    t("getFileInfo " + q, () -> nn.getFileInfo(q));
    t("getLocatedFileInfo " + q, () -> nn.getLocatedFileInfo(q, false) != null);
    t("getListing " + q, () -> nn.getListing(q, new byte[0], false));
    t("getBatchedListing " + q, () -> nn.getBatchedListing(new String[] {"/plain", q, "/s/d"}, new byte[0], false));
    t("getContentSummary " + q, () -> nn.getContentSummary(q));
    t("getQuotaUsage " + q, () -> nn.getQuotaUsage(q));
    t("getBlockLocations " + q, () -> nn.getBlockLocations(q, 0, 10));
    t("isFileClosed " + q, () -> nn.isFileClosed(q));
    d("checkAccess " + q, () -> nn.checkAccess(q, FsAction.READ_WRITE));
    t("getAclStatus " + q, () -> nn.getAclStatus(q));
    t("listXAttrs " + q, () -> nn.listXAttrs(q));
    t("getXAttrs " + q, () -> nn.getXAttrs(q, null));
    t("getXAttrs raw " + q, () -> nn.getXAttrs(q, XAttrHelper.buildXAttrs(List.of("raw.a"))));
    t("getXAttrs trusted " + q, () -> nn.getXAttrs(q, XAttrHelper.buildXAttrs(List.of("trusted.a"))));
    t("getErasureCodingPolicy " + q, () -> nn.getErasureCodingPolicy(q));
    t("getEZForPath " + q, () -> nn.getEZForPath(q));
    t("getStoragePolicy " + q, () -> nn.getStoragePolicy(q).getName());
    t("getSnapshotListing " + q, () -> nn.getSnapshotListing(q));
    if (!q.isEmpty() && !q.contains(".snapshot/")) {
      t("getSnapshotDiffReport " + q, () -> nn.getSnapshotDiffReport(q, "s1", ""));
      t("getSnapshotDiffReportListing " + q, () -> nn.getSnapshotDiffReportListing(q, "s1", "s2", new byte[0], -1));
    }
    t("listCorruptFileBlocks " + q, () -> nn.listCorruptFileBlocks(q, null));
    t("getEnclosingRoot " + q, () -> nn.getEnclosingRoot(q));
    t("getPreferredBlockSize " + q, () -> nn.getPreferredBlockSize(q));
    t("listCacheDirectives " + q, () -> nn.listCacheDirectives(0, new CacheDirectiveInfo.Builder().setPath(new Path(q)).build()).size());
  }

  static void changes(String q) {
    d("modifyAclEntries " + q, () -> nn.modifyAclEntries(q, acl("user:u:r--")));
    d("modifyAclEntries default " + q, () -> nn.modifyAclEntries(q, acl("default:user:u:r--")));
    d("removeAclEntries " + q, () -> nn.removeAclEntries(q, acl("user:u:r--")));
    d("removeDefaultAcl " + q, () -> nn.removeDefaultAcl(q));
    d("removeAcl " + q, () -> nn.removeAcl(q));
    for (String name : List.of("user.a", "trusted.a", "raw.a", "system.a", "security.a", "security.hdfs.unreadable.by.superuser")) {
      d("setXAttr " + name + " " + q, () -> nn.setXAttr(q, xattr(name), EnumSet.of(XAttrSetFlag.CREATE)));
      d("setXAttr replace " + name + " " + q, () -> nn.setXAttr(q, xattr(name), EnumSet.of(XAttrSetFlag.REPLACE)));
      d("removeXAttr " + name + " " + q, () -> nn.removeXAttr(q, xattr(name)));
    }
    d("setErasureCodingPolicy " + q, () -> nn.setErasureCodingPolicy(q, "RS-6-3-1024k"));
    d("setErasureCodingPolicy disabled " + q, () -> nn.setErasureCodingPolicy(q, "XOR-2-1-1024k"));
    d("unsetErasureCodingPolicy " + q, () -> nn.unsetErasureCodingPolicy(q));
    d("setErasureCodingPolicy default " + q, () -> nn.setErasureCodingPolicy(q, null));
    d("unsetErasureCodingPolicy again " + q, () -> nn.unsetErasureCodingPolicy(q));
    d("createEncryptionZone " + q, () -> nn.createEncryptionZone(q, "key"));
    d("reencryptEncryptionZone " + q, () -> nn.reencryptEncryptionZone(q, HdfsConstants.ReencryptAction.START));
    d("allowSnapshot " + q, () -> nn.allowSnapshot(q));
    t("createSnapshot " + q, () -> nn.createSnapshot(q, "t"));
    t("createSnapshot again " + q, () -> nn.createSnapshot(q, "t"));
    if (!q.isEmpty()) {
      d("renameSnapshot " + q, () -> nn.renameSnapshot(q, "t", "t2"));
      d("deleteSnapshot " + q, () -> nn.deleteSnapshot(q, "t2"));
      d("deleteSnapshot again " + q, () -> nn.deleteSnapshot(q, "t2"));
      d("createSymlink " + q, () -> nn.createSymlink("/target", q, perm(0777), false));
    }
    d("disallowSnapshot " + q, () -> nn.disallowSnapshot(q));
    t("addCacheDirective " + q, () -> {
      long id = nn.addCacheDirective(new CacheDirectiveInfo.Builder().setPath(new Path(q)).setPool("pool").build(), EnumSet.noneOf(CacheFlag.class));
      nn.removeCacheDirective(id);
      return id > 0;
    });
    d("satisfyStoragePolicy " + q, () -> nn.satisfyStoragePolicy(q));
    d("setQuota by type " + q, () -> nn.setQuota(q, Long.MAX_VALUE, 1L << 40, StorageType.SSD));
    d("setQuota by type clear " + q, () -> nn.setQuota(q, Long.MAX_VALUE, -1, StorageType.SSD));
    d("setQuota by memory " + q, () -> nn.setQuota(q, Long.MAX_VALUE, -1, StorageType.RAM_DISK));
    t("mkdirs below " + q, () -> nn.mkdirs(q + "/new", perm(0755), false) && nn.delete(q + "/new", false));
    t("rename into itself " + q, () -> nn.rename(q, q));
    t("rename into " + q, () -> nn.rename("/empty", q) && nn.rename(nn.getFileInfo(q + "/empty") == null ? q : q + "/empty", "/empty"));
    d("rename2 into " + q, () -> {
      nn.rename2("/empty", q, Options.Rename.NONE);
      nn.rename2(q, "/empty", Options.Rename.NONE);
    });
    t("delete recursive " + q, () -> q.matches("/s/?|/\\.reserved/raw/s|/s/f/?|/s//f|/plain/?|/s/d|.*inodes/[0-9]+(/f|/\\.\\.)?|.*raw/s/f|/s/../s") ? "skip" : nn.delete(q, true));
  }

  public static void main(String[] args) throws Exception {
    as(ME, "supergroup");
    fs.mkdirs(new Path("/s/d/e"));
    fs.mkdirs(new Path("/plain"));
    write("/s/f", 10);
    write("/s/d/g", 20);
    nn.addCachePool(new CachePoolInfo("pool"));
    nn.enableErasureCodingPolicy("RS-3-2-1024k");
    nn.allowSnapshot("/s");
    nn.setXAttr("/s/f", xattr("user.before"), EnumSet.of(XAttrSetFlag.CREATE));
    nn.createSnapshot("/s", "s1");
    nn.rename2("/s/d/g", "/s/g", Options.Rename.NONE);
    nn.setXAttr("/s/f", xattr("user.after"), EnumSet.of(XAttrSetFlag.CREATE));
    write("/s/new", 5);
    nn.createSnapshot("/s", "s2");
    fs.mkdirs(new Path("/empty"));
    List<String> paths = paths();
    for (String q : paths) reads(q);
    for (String q : paths) changes(q);
    t("left", () -> nn.getListing("/", new byte[0], false));
    t("left in /s", () -> nn.getListing("/s", new byte[0], false));
    as("bob", "users");
    for (String q : paths) {
      reads(q);
      changes(q);
    }
    as(ME, "supergroup");
    snapshots();
    listings();
    t("final", () -> nn.getListing("/", new byte[0], false));
    t("final s", () -> nn.getListing("/s", new byte[0], false));
    t("final sum", () -> nn.getContentSummary("/"));
    Runtime.getRuntime().halt(0);
  }

  static void snapshots() throws Exception {
    for (String name : new String[] {"", ".", "..", ".snapshot", "a/b", "a:b", "x".repeat(255), "x".repeat(256), "s1", "\u00fc", " ", "/", "-"}) {
      t("createSnapshot [" + name + "]", () -> nn.createSnapshot("/s", name));
      d("renameSnapshot to [" + name + "]", () -> nn.renameSnapshot("/s", "s2", name));
      d("renameSnapshot back [" + name + "]", () -> nn.renameSnapshot("/s", name, "s2"));
      d("deleteSnapshot [" + name + "]", () -> { if (!name.equals("s1")) nn.deleteSnapshot("/s", name); });
    }
    t("createSnapshot null", () -> nn.createSnapshot("/s", null));
    t("getSnapshottableDirListing", () -> nn.getSnapshottableDirListing());
    for (String[] pair : new String[][] {{"s1", "s2"}, {"s2", "s1"}, {"", "s1"}, {"s1", ""}, {"", ""}, {"s1", "none"}, {".", "s1"}, {"s1", "s1"}}) {
      t("diff " + pair[0] + " " + pair[1], () -> nn.getSnapshotDiffReport("/s", pair[0], pair[1]));
      t("diff listing " + pair[0] + " " + pair[1], () -> nn.getSnapshotDiffReportListing("/s", pair[0], pair[1], new byte[0], -1));
      t("diff of a part " + pair[0] + " " + pair[1], () -> nn.getSnapshotDiffReport("/s/d", pair[0], pair[1]));
    }
    d("delete root of snapshots", () -> nn.delete("/s", true));
    t("rename root of snapshots", () -> nn.rename("/s", "/moved") && nn.rename("/moved", "/s"));
    d("rename2 over root of snapshots", () -> nn.rename2("/plain", "/s", Options.Rename.OVERWRITE));
    d("disallow with snapshots", () -> nn.disallowSnapshot("/s"));
  }

  static void listings() throws Exception {
    nn.mkdirs("/l/a", perm(0755), true);
    nn.mkdirs("/l/closed", perm(0700), true);
    nn.mkdirs("/l/empty", perm(0755), true);
    for (int i = 0; i < 5; i++) nn.mkdirs("/l/a/d" + i, perm(0755), true);
    String[] many = {"/l/a", "/l/none", "/l/closed", "/l/empty", "/s/f", "/l/a", "/.reserved", "/s/.snapshot"};
    String[][] asked = {many, {}, {"/l/none"}, {"relative"}, {"/l/a", "relative", "/l/empty"}, {"/l/a/d0/x", "/l/a"}, {"/s/f/x"}, {""}};
    for (String user : List.of(ME, "bob")) {
      as(user, user.equals(ME) ? "supergroup" : "users");
      for (String[] paths : asked) {
        t("batched " + Arrays.toString(paths), () -> nn.getBatchedListing(paths, new byte[0], false));
        t("batched with places " + Arrays.toString(paths), () -> nn.getBatchedListing(paths, new byte[0], true));
        t("batched all " + Arrays.toString(paths), () -> {
          StringBuilder all = new StringBuilder();
          byte[] from = new byte[0];
          for (int round = 0; round < 20; round++) {
            BatchedDirectoryListing part = nn.getBatchedListing(paths, from, false);
            all.append("\n      ").append(show(part));
            if (!part.hasMore()) return all;
            from = part.getStartAfter();
          }
          return all.append(" and on");
        });
      }
      t("batched too many", () -> {
        String[] paths = new String[101];
        Arrays.fill(paths, "/l/a");
        return nn.getBatchedListing(paths, new byte[0], false);
      });
      for (String from : new String[] {"", "a", "d1", "d9", "/l/a/d1", "/.reserved/.inodes/16385", "/.reserved/.inodes/999999", "\u00fc"})
        t("listing from [" + from + "]", () -> nn.getListing("/l/a", from.getBytes("UTF-8"), false));
      for (String cookie : new String[] {"0", "5", "-1", "x", "", "99999999999"})
        t("corrupt files from [" + cookie + "]", () -> nn.listCorruptFileBlocks("/", cookie));
    }
    as(ME, "supergroup");
  }
}
