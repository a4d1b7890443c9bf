// Metadata calls with right and wrong arguments, each answer or error printed: run on any cluster of one DataNode, the
// output must be that of Apache's (apache.txt). What differs from run to run (ids, times, addresses) is left out.
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

public class Calls {
  static final String ME = System.getProperty("user.name");
  static DistributedFileSystem root, fs;
  static ClientProtocol nn;
  static Path p(String path) { return new Path(path); }
  static String clean(String s) {
    if (s == null) return "null";
    return s.replaceAll("hdfs://127.0.0.1:\\d+", "hdfs://X").replaceAll("DFSClient_NONMAPREDUCE_-?\\d+_\\d+", "CLIENT").replaceAll("blk_\\d+_\\d+", "BLK").replaceAll("inode \\d+", "inode N").replaceAll("BP-[0-9.-]+", "BP").replaceAll("/127.0.0.1:\\d+", "ADDR").replaceAll("127.0.0.1:\\d+", "ADDR").replaceAll("(?s)\\n.*", "").replaceAll("\\d{13}", "TIME").replaceAll(" for operation \\w+", "").replaceAll("(sticky bit: .*parent=\"[^\"]*\":[^:]*:[^:]*):.*", "$1").replaceAll("\\b" + ME + "\\b", "root");
  }
  static void t(String name, Callable<Object> c) {
    String r;
    try { Object o = c.call(); r = "= " + show(o); }
    catch (Throwable e) {
      Throwable x = e;
      if (e instanceof org.apache.hadoop.ipc.RemoteException) { r = "! R " + ((org.apache.hadoop.ipc.RemoteException) e).getClassName() + ": " + clean(e.getMessage()); }
      else r = "! " + x.getClass().getName() + ": " + clean(x.getMessage());
    }
    System.out.println(name + "\n   " + r);
  }
  static String show(Object o) {
    if (o == null) return "null";
    if (o instanceof HdfsFileStatus) { HdfsFileStatus s = (HdfsFileStatus) o; return (s.isDirectory() ? "d" : s.isSymlink() ? "l" : "-") + s.getPermission() + " " + s.getReplication() + " " + s.getOwner().replaceAll("^" + ME + "$", "root") + ":" + s.getGroup() + " " + s.getLen() + " bs" + s.getBlockSize() + " ch" + s.getChildrenNum() + " sp" + s.getStoragePolicy() + " [" + s.getLocalName() + "] " + (s.hasAcl() ? "acl " : "") + (s.isSnapshotEnabled() ? "snap " : "") + (s.isErasureCoded() ? "ec " : "") + (s.getFileId() > 0 && s.getModificationTime() < 1000000 ? "m" + s.getModificationTime() : "") + (s.getFileId() > 0 && s.getAccessTime() < 1000000 ? "a" + s.getAccessTime() : "") + " id" + (s.getFileId() < 16386 ? "" + s.getFileId() : "N"); }
    if (o instanceof DirectoryListing) { StringBuilder b = new StringBuilder("remaining " + ((DirectoryListing) o).getRemainingEntries()); for (HdfsFileStatus s : ((DirectoryListing) o).getPartialListing()) b.append("\n      ").append(show(s)); return b.toString(); }
    if (o instanceof LocatedBlocks) { LocatedBlocks b = (LocatedBlocks) o; return "len " + b.getFileLength() + " uc " + b.isUnderConstruction() + " lastComplete " + b.isLastBlockComplete() + " n " + b.getLocatedBlocks().size() + " last " + (b.getLastLocatedBlock() != null); }
    if (o instanceof Object[]) return Arrays.toString((Object[]) o);
    return clean(o.toString());
  }
  static String at = "root";
  static void as(String user, String... groups) throws Exception {
    UserGroupInformation ugi = UserGroupInformation.createUserForTesting(user, groups);
    Configuration conf = new Configuration();
    fs = (DistributedFileSystem) ugi.doAs((PrivilegedExceptionAction<FileSystem>) () -> FileSystem.newInstance(FileSystem.getDefaultUri(conf), conf));
    nn = fs.getClient().getNamenode();
    at = user;
    System.out.println("---- as " + (user.equals(ME) ? "root" : user));
  }
  static void write(String path, int length, int bs, int rep) throws Exception {
    try (FSDataOutputStream out = fs.create(p(path), true, 4096, (short) rep, bs)) { out.write(new byte[length]); }
  }
  static FsPermission perm(int m) { return new FsPermission((short) m); }
  static Object v(Runnable r) { r.run(); return "done"; }
  interface X { void run() throws Exception; }
  static void d(String name, X x) { t(name, () -> { x.run(); return "done"; }); }
  static String[] PATHS = {"/", "/d", "/d/f", "/d/none", "/none/none", "/d/f/x", "/d/f/x/y", "/.reserved", "/.reserved/x", "/.reserved/.inodes", "/.reserved/.inodes/16385", "/.reserved/.inodes/999999", "/.reserved/.inodes/x", "/.reserved/.inodes/16385/d", "/.reserved/raw", "/.reserved/raw/d/f", "/.reserved/raw/none", "/.snapshot", "/.snapshot/s", "/d/.snapshot", "/d/.snapshot/s", "/d/f/.snapshot", "//d//f", "/d/f/", "/d/../d", "/d/./f", "/a:b", "d", "", "/d/open"};

  static void all() throws Exception {
    for (String q : PATHS) {
      t("getFileInfo " + q, () -> nn.getFileInfo(q));
      t("getFileLinkInfo " + q, () -> nn.getFileLinkInfo(q));
      t("getListing " + q, () -> nn.getListing(q, new byte[0], false));
      t("getBlockLocations " + q, () -> nn.getBlockLocations(q, 0, 100));
      t("getContentSummary " + q, () -> nn.getContentSummary(q));
      t("getQuotaUsage " + q, () -> nn.getQuotaUsage(q));
      t("isFileClosed " + q, () -> nn.isFileClosed(q));
      t("getPreferredBlockSize " + q, () -> nn.getPreferredBlockSize(q));
      t("getLinkTarget " + q, () -> nn.getLinkTarget(q));
      t("checkAccess " + q, () -> { nn.checkAccess(q, FsAction.READ); return "ok"; });
      t("getStoragePolicy " + q, () -> nn.getStoragePolicy(q).getName());
      t("getAclStatus " + q, () -> nn.getAclStatus(q));
      t("listXAttrs " + q, () -> nn.listXAttrs(q));
      t("getEnclosingRoot " + q, () -> nn.getEnclosingRoot(q));
    }
    for (String q : PATHS) {
      if (q.equals("/.reserved/raw") || q.equals("/.reserved/.inodes/16385") || q.equals("/")) continue;
      t("mkdirs " + q, () -> nn.mkdirs(q, perm(0755), false));
      t("setReplication " + q, () -> nn.setReplication(q, (short) 2));
      t("setPermission " + q, () -> { nn.setPermission(q, perm(0744)); return "ok"; });
      t("setOwner " + q, () -> { nn.setOwner(q, null, "g"); return "ok"; });
      t("setTimes " + q, () -> { nn.setTimes(q, 5000, -1); return "ok"; });
      t("setStoragePolicy " + q, () -> { nn.setStoragePolicy(q, "COLD"); return "ok"; });
      t("unsetStoragePolicy " + q, () -> { nn.unsetStoragePolicy(q); return "ok"; });
      t("setQuota " + q, () -> { nn.setQuota(q, 100, -1, null); return "ok"; });
      t("clearQuota " + q, () -> { nn.setQuota(q, -1, -1, null); return "ok"; });
      t("setXAttr " + q, () -> { nn.setXAttr(q, XAttrHelper.buildXAttr("user.a", new byte[] {1}), EnumSet.of(XAttrSetFlag.CREATE)); return "ok"; });
      t("removeXAttr " + q, () -> { nn.removeXAttr(q, XAttrHelper.buildXAttr("user.a")); return "ok"; });
      t("setAcl " + q, () -> { nn.setAcl(q, AclEntry.parseAclSpec("user::rwx,user:u:r--,group::r--,other::r--", true)); return "ok"; });
      t("removeAcl " + q, () -> { nn.removeAcl(q); return "ok"; });
      t("recoverLease " + q, () -> nn.recoverLease(q, "me"));
      t("concat " + q, () -> { nn.concat(q, new String[] {"/d/none"}); return "ok"; });
      t("concat into /d/f " + q, () -> { nn.concat("/d/f", new String[] {q}); return "ok"; });
      t("append " + q, () -> { LastBlockWithStatus s = nn.append(q, "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.APPEND), CreateFlag.class)); return show(s.getFileStatus()) + " " + (s.getLastBlock() != null); });
      t("recoverLease again " + q, () -> nn.recoverLease(q, "me2"));
      for (int i = 0; i < 100; i++) { try { if (root.getClient().getNamenode().isFileClosed("/d/f")) break; } catch (Exception e) { break; } Thread.sleep(100); }
      t("truncate " + q, () -> nn.truncate(q, 1000000, "me"));
      t("create " + q, () -> nn.create(q, perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), false, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("complete " + q, () -> nn.complete(q, "me", null, 0));
      t("addBlock " + q, () -> nn.addBlock(q, "me3", null, null, 0, null, null) != null);
      t("fsync " + q, () -> { nn.fsync(q, 0, "me3", 5); return "ok"; });
      t("rename " + q, () -> nn.rename(q, "/d/none/x"));
      t("rename to " + q, () -> nn.rename("/d/zz", q));
      t("rename2 " + q, () -> { nn.rename2(q, "/d/none/x/y", Options.Rename.NONE); return "ok"; });
      t("rename2 to " + q, () -> { nn.rename2("/d/zz", q, Options.Rename.NONE); return "ok"; });
      t("rename2 file to " + q, () -> { nn.rename2("/d/f", q, Options.Rename.NONE); return "ok"; });
      t("rename2 back", () -> { nn.rename2(q, "/d/f", Options.Rename.NONE); return "ok"; });
      t("delete " + q + " nonrecursive of none", () -> q.equals("/d/f") || q.equals("//d//f") || q.equals("/d/f/") || q.contains("raw/d/f") ? "skip" : nn.delete(q, false));
    }
  }
  public static void main(String[] args) throws Exception {
    as(ME, "supergroup");
    root = fs;
    fs.mkdirs(p("/d/sub/deep"));
    write("/d/f", 10, 1048576, 1);
    nn.create("/d/open", perm(0644), "other", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), false, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null);
    fs.mkdirs(p("/priv"), perm(0700)); fs.mkdirs(p("/priv/x")); write("/priv/f", 1, 1048576, 1); fs.setPermission(p("/priv"), perm(0700));
    fs.mkdirs(p("/sticky")); fs.setPermission(p("/sticky"), perm(01777)); write("/sticky/r", 1, 1048576, 1); fs.mkdirs(p("/sticky/rd"));
    all();
    t("ls", () -> nn.getListing("/d", new byte[0], true));
    as("bob", "users");
    all();
    for (String q : new String[] {"/priv", "/priv/x", "/priv/f", "/priv/none", "/sticky/r", "/sticky/rd"}) {
      t("getFileInfo " + q, () -> nn.getFileInfo(q));
      t("getListing " + q, () -> nn.getListing(q, new byte[0], false));
      t("getBlockLocations " + q, () -> nn.getBlockLocations(q, 0, 100));
      t("getContentSummary " + q, () -> nn.getContentSummary(q));
      t("getQuotaUsage " + q, () -> nn.getQuotaUsage(q));
      t("delete " + q, () -> nn.delete(q, true));
      t("rename2 " + q, () -> { nn.rename2(q, "/sticky/moved", Options.Rename.NONE); return "ok"; });
      t("rename2 trash " + q, () -> { nn.rename2(q, "/sticky/moved", Options.Rename.TO_TRASH); return "ok"; });
      t("setPermission " + q, () -> { nn.setPermission(q, perm(0777)); return "ok"; });
      t("setOwner " + q, () -> { nn.setOwner(q, "bob", null); return "ok"; });
      t("mkdirs in " + q, () -> nn.mkdirs(q + "/new", perm(0755), true));
      t("create over " + q, () -> nn.create(q, perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE, CreateFlag.OVERWRITE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("checkAccess " + q, () -> { nn.checkAccess(q, FsAction.ALL); return "ok"; });
    }
    t("delete /d", () -> nn.delete("/d", true));
    t("listOpenFiles", () -> nn.listOpenFiles(0).size());
    t("setQuota", () -> { nn.setQuota("/d", 1, 1, null); return "ok"; });
    as(ME, "supergroup");
    CREATE: {
      t("create rep0", () -> nn.create("/d/c", perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), true, (short) 0, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("create rep999", () -> nn.create("/d/c", perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), true, (short) 999, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("create bs", () -> nn.create("/d/c", perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), true, (short) 1, 1000, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("create overwrite only", () -> nn.create("/d/c", perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.OVERWRITE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("create policy", () -> nn.create("/d/c", perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, "NOPE"));
      t("create repl+ec", () -> nn.create("/d/c", perm(0644), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE, CreateFlag.SHOULD_REPLICATE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], "RS-6-3-1024k", null));
      t("create parents", () -> nn.create("/p/q/r", perm(0640), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, "HOT"));
      t("ls /p", () -> nn.getListing("/p", new byte[0], false));
      t("create again same", () -> nn.create("/p/q/r", perm(0640), "me", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("create again other", () -> nn.create("/p/q/r", perm(0640), "me2", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("create overwrite other", () -> nn.create("/p/q/r", perm(0640), "me2", new EnumSetWritable<>(EnumSet.of(CreateFlag.CREATE, CreateFlag.OVERWRITE), CreateFlag.class), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null));
      t("append open", () -> nn.append("/p/q/r", "me3", new EnumSetWritable<>(EnumSet.of(CreateFlag.APPEND), CreateFlag.class)));
      t("truncate open", () -> nn.truncate("/p/q/r", 0, "me3"));
      t("complete wrong", () -> nn.complete("/p/q/r", "me3", null, 0));
      t("complete", () -> nn.complete("/p/q/r", "me2", null, 0));
      t("complete twice", () -> nn.complete("/p/q/r", "me2", null, 0));
      t("addBlock closed", () -> nn.addBlock("/p/q/r", "me2", null, null, 0, null, null));
      t("addBlock bad id", () -> nn.addBlock("/p/q/r", "me2", null, null, 77777, null, null));
      t("mkdirs long", () -> nn.mkdirs("/" + "x".repeat(256), perm(0755), true));
      t("rename long", () -> { nn.rename2("/p", "/" + "x".repeat(256), Options.Rename.NONE); return "ok"; });
      t("mkdirs deep", () -> nn.mkdirs("/" + "x/".repeat(1001) + "x", perm(0755), true));
      t("mkdirs long path", () -> nn.mkdirs("/" + (("y".repeat(200) + "/").repeat(41)), perm(0755), true));
      t("mkdirs reserved", () -> nn.mkdirs("/.reserved", perm(0755), true));
      t("mkdirs .snapshot", () -> nn.mkdirs("/p/.snapshot/x", perm(0755), true));
      t("setReplication 0", () -> nn.setReplication("/d/f", (short) 0));
      t("setPermission sticky", () -> { nn.setPermission("/d/f", perm(01777)); return show(nn.getFileInfo("/d/f")); });
      t("setOwner none", () -> { nn.setOwner("/d/f", null, null); return "ok"; });
      t("setTimes both", () -> { nn.setTimes("/d", 7000, 8000); return show(nn.getFileInfo("/d")); });
      t("setTimes -1", () -> { nn.setTimes("/d/f", -1, -1); return "ok"; });
      t("rename into itself", () -> nn.rename("/d", "/d/sub"));
      t("rename dir same", () -> nn.rename("/d", "/d"));
      t("rename file same", () -> nn.rename("/d/f", "/d/f"));
      t("rename2 same", () -> { nn.rename2("/d", "/d", Options.Rename.OVERWRITE); return "ok"; });
      t("rename2 root", () -> { nn.rename2("/", "/x", Options.Rename.OVERWRITE); return "ok"; });
      t("rename2 to root", () -> { nn.rename2("/d", "/", Options.Rename.OVERWRITE); return "ok"; });
      t("rename2 over nonempty", () -> { nn.rename2("/p", "/d", Options.Rename.OVERWRITE); return "ok"; });
      t("rename2 file over dir", () -> { nn.rename2("/d/f", "/p", Options.Rename.OVERWRITE); return "ok"; });
      t("rename2 dir over file", () -> { nn.rename2("/p", "/d/f", Options.Rename.OVERWRITE); return "ok"; });
      t("delete root", () -> nn.delete("/", true));
      t("delete root nonrec", () -> nn.delete("/", false));
      t("delete nonempty", () -> nn.delete("/d", false));
      t("concat self", () -> { nn.concat("/d/f", new String[] {"/d/f"}); return "ok"; });
      t("concat empty list", () -> { nn.concat("/d/f", new String[0]); return "ok"; });
      t("concat empty file", () -> { nn.concat("/d/f", new String[] {"/p/q/r"}); return "ok"; });
      t("xattr missing", () -> nn.getXAttrs("/d/f", XAttrHelper.buildXAttrs(Arrays.asList("user.z"))));
      t("xattr system", () -> { nn.setXAttr("/d/f", XAttrHelper.buildXAttr("system.z", null), EnumSet.of(XAttrSetFlag.CREATE)); return "ok"; });
      t("xattr big", () -> { nn.setXAttr("/d/f", XAttrHelper.buildXAttr("user.z", new byte[20000]), EnumSet.of(XAttrSetFlag.CREATE)); return "ok"; });
      t("acl bad", () -> { nn.setAcl("/d/f", AclEntry.parseAclSpec("user:u:r--", true)); return "ok"; });
      t("acl default on file", () -> { nn.modifyAclEntries("/d/f", AclEntry.parseAclSpec("default:user:u:r--", true)); return "ok"; });
      t("acl mask", () -> { nn.modifyAclEntries("/d/f", AclEntry.parseAclSpec("user:u:rw-,mask::r--", true)); return nn.getAclStatus("/d/f") + " " + show(nn.getFileInfo("/d/f")); });
      t("acl rm", () -> { nn.removeAclEntries("/d/f", AclEntry.parseAclSpec("user:u", false)); return nn.getAclStatus("/d/f") + " " + show(nn.getFileInfo("/d/f")); });
      t("acl dir default", () -> { nn.modifyAclEntries("/d/sub", AclEntry.parseAclSpec("default:user:u:rwx", true)); return nn.getAclStatus("/d/sub"); });
      t("acl inherited", () -> { nn.mkdirs("/d/sub/i", perm(0777), true); return nn.getAclStatus("/d/sub/i") + " " + show(nn.getFileInfo("/d/sub/i")); });
      t("acl rm default", () -> { nn.removeDefaultAcl("/d/sub"); return nn.getAclStatus("/d/sub"); });
      t("quota", () -> { nn.setQuota("/p", 4, 3000000, null); return nn.getQuotaUsage("/p"); });
      t("quota names", () -> nn.mkdirs("/p/a/b/c", perm(0755), true));
      t("quota exceed", () -> { nn.mkdirs("/p/a", perm(0755), true); nn.mkdirs("/p/b", perm(0755), true); return "ok"; });
      t("quota space", () -> { write("/p/q/r", 10, 4194304, 1); return "ok"; });
      t("quota rename", () -> { nn.rename2("/d", "/p/d", Options.Rename.NONE); return "ok"; });
      t("quota rename old", () -> nn.rename("/d", "/p/d"));
      t("quota setrep", () -> nn.setReplication("/p/q/r", (short) 9));
      t("quota negative", () -> { nn.setQuota("/p", -5, 1, null); return "ok"; });
      t("quota type", () -> { nn.setQuota("/p", Long.MAX_VALUE, 5000, StorageType.SSD); return nn.getQuotaUsage("/p"); });
      t("quota root", () -> { nn.setQuota("/", 1000, -1, null); return nn.getQuotaUsage("/").getQuota(); });
      t("quota root clear", () -> { nn.setQuota("/", -1, -1, null); return nn.getQuotaUsage("/").getQuota(); });
      t("policy lazy on file", () -> { nn.setStoragePolicy("/d/f", "LAZY_PERSIST"); return "ok"; });
      t("policy unknown", () -> { nn.setStoragePolicy("/d/f", "x"); return "ok"; });
      t("policies", () -> Arrays.toString(nn.getStoragePolicies()));
      t("listing paged", () -> nn.getListing("/", "d".getBytes(), false));
      t("listing reserved start", () -> nn.getListing("/", "/.reserved/.inodes/999999".getBytes(), false));
      t("blocks negative", () -> nn.getBlockLocations("/d/f", -1, 5));
      t("open files", () -> { StringBuilder b = new StringBuilder(); for (long prev = 0;;) { org.apache.hadoop.fs.BatchedRemoteIterator.BatchedEntries<OpenFileEntry> e = nn.listOpenFiles(prev); for (int i = 0; i < e.size(); i++) { b.append(e.get(i).getFilePath()).append(' ').append(e.get(i).getClientName()).append(';'); prev = e.get(i).getId(); } if (!e.hasMore()) return b; } });
      t("final", () -> nn.getListing("/", new byte[0], true));
      t("final d", () -> nn.getListing("/d", new byte[0], false));
      t("final sum", () -> nn.getContentSummary("/"));
      t("final usage", () -> nn.getQuotaUsage("/"));
    }
    Runtime.getRuntime().halt(0);
  }
}
