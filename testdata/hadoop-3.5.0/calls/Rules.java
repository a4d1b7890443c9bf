// Random calls by seed about who may do what: modes, lists with masks and defaults, attributes of every namespace, quotas of
// names, bytes and kinds of storage, sticky directories. Each call and its answer is printed; after each, what the path is.
// Argument: first seed, number of seeds, calls of each. Run on any cluster of one DataNode, the output must be that of
// Apache's (rules.txt).
import java.security.PrivilegedExceptionAction;
import java.util.*;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.fs.permission.*;
import org.apache.hadoop.hdfs.*;
import org.apache.hadoop.hdfs.protocol.*;
import org.apache.hadoop.io.EnumSetWritable;
import org.apache.hadoop.security.UserGroupInformation;

public class Rules {
  static final String ME = System.getProperty("user.name");
  static final String[] NAMES = {"a", "b", "c"};
  static final String[] ACTIONS = {"---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"};
  static final String[] WHO = {"user:", "user:alice", "user:bob", "user:carol", "group:", "group:staff", "group:eng", "mask:", "other:"};
  static final String[] ATTRIBUTES = {"user.a", "user.b", "trusted.a", "raw.a", "security.a", "system.a", "security.hdfs.unreadable.by.superuser"};
  static final StorageType[] KINDS = {StorageType.DISK, StorageType.SSD, StorageType.ARCHIVE};
  static final String[] POLICIES = {"HOT", "WARM", "COLD", "ALL_SSD", "ONE_SSD"};
  static ClientProtocol[] users = new ClientProtocol[4];
  static final String[] USERS = {ME, "alice", "bob", "carol"};
  static SplittableRandom random;
  static String root;

  static ClientProtocol as(String user, String... groups) throws Exception {
    UserGroupInformation ugi = UserGroupInformation.createUserForTesting(user, groups);
    Configuration conf = new Configuration();
    DistributedFileSystem fs = (DistributedFileSystem) ugi.doAs((PrivilegedExceptionAction<FileSystem>) () -> FileSystem.newInstance(FileSystem.getDefaultUri(conf), conf));
    return fs.getClient().getNamenode();
  }

  static int below(int limit) {
    return random.nextInt(limit);
  }

  static String one(String[] of) {
    return of[below(of.length)];
  }

  static String path() {
    StringBuilder path = new StringBuilder(root);
    int depth = below(10) == 0 ? 0 : 1 + below(3);
    for (int i = 0; i < depth; i++) path.append('/').append(one(NAMES));
    return (below(25) == 0 ? "/.reserved/raw" : "") + path;
  }

  static List<AclEntry> entries(boolean whole, boolean permissions) {
    StringBuilder spec = new StringBuilder();
    String scope = below(3) == 0 ? "default:" : "";
    if (whole) for (String base : new String[] {"user:", "group:", "other:"}) spec.append(',').append(scope).append(base).append(':').append(one(ACTIONS));
    for (int i = 0, n = whole ? below(3) : 1 + below(3); i < n; i++) {
      spec.append(',').append(below(3) == 0 ? "default:" : scope).append(one(WHO));
      if (permissions) spec.append(':').append(one(ACTIONS));
    }
    return AclEntry.parseAclSpec(spec.substring(1), permissions);
  }

  static String clean(String text) {
    if (text == null) return "null";
    return text.replaceAll("(?s)\\n.*", "").replaceAll(" for operation \\w+", "").replaceAll("\\binode \\d+", "inode N").replaceAll("CLIENT_\\d", "CLIENT")
        .replaceAll("/127.0.0.1:\\d+", "ADDR").replaceAll("127.0.0.1:\\d+", "ADDR").replaceAll("127.0.0.1", "ADDR").replaceAll("blk_-?\\d+_\\d+", "BLK").replaceAll("\\b" + ME + "\\b", "root")
        .replaceAll("(sticky bit: .*parent=\"[^\"]*\":[^:]*:[^:]*):.*", "$1");
  }

  static void t(String call, Callable<Object> work) {
    String answer;
    try {
      Object o = work.call();
      answer = "= " + (o instanceof byte[] ? Arrays.toString((byte[]) o) : clean(String.valueOf(o)));
    } catch (org.apache.hadoop.ipc.RemoteException e) {
      answer = "! " + e.getClassName() + ": " + clean(e.getMessage());
    } catch (Throwable e) {
      answer = "! local " + e.getClass().getName() + ": " + clean(e.getMessage());
    }
    System.out.println(clean(call) + "\n   " + answer);
  }

  interface Quiet {
    void run() throws Exception;
  }

  static void d(String call, Quiet work) {
    t(call, () -> {
      work.run();
      return "done";
    });
  }

  static XAttr attribute(String name) {
    return XAttrHelper.buildXAttr(name, name.startsWith("security.hdfs") ? null : new byte[] {(byte) below(5)});
  }

  static boolean create(ClientProtocol nn, String path, FsPermission mode, boolean overwrite) throws Exception {
    EnumSet<CreateFlag> flags = overwrite ? EnumSet.of(CreateFlag.CREATE, CreateFlag.OVERWRITE) : EnumSet.of(CreateFlag.CREATE);
    HdfsFileStatus made = nn.create(path, mode, "CLIENT_1", new EnumSetWritable<>(flags, CreateFlag.class), below(2) == 0, (short) (1 + below(3)), 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null);
    if (below(3) == 0) {
      try {
        LocatedBlock block = nn.addBlock(path, "CLIENT_1", null, null, made.getFileId(), null, null);
        nn.abandonBlock(block.getBlock(), made.getFileId(), path, "CLIENT_1");
        System.out.println("   block");
      } catch (org.apache.hadoop.ipc.RemoteException e) {
        System.out.println("   block ! " + e.getClassName() + ": " + clean(e.getMessage()).replaceAll("File .* could only be written.*", "no place"));
      }
    }
    return nn.complete(path, "CLIENT_1", null, made.getFileId());
  }

  static void call() {
    int who = below(5) == 0 ? 0 : 1 + below(3);
    ClientProtocol nn = users[who];
    String q = path(), other = path();
    String as = USERS[who] + ": ";
    FsPermission mode = new FsPermission((short) below(below(4) == 0 ? 01000 : 02000));
    FsPermission wide = below(2) == 0 ? mode : FsCreateModes.applyUMask(new FsPermission((short) 0777), new FsPermission((short) new int[] {022, 027, 077, 0}[below(4)]));
    switch (below(22)) {
      case 0: case 1: case 2: { boolean parent = below(2) == 0; t(as + "mkdirs " + q + " " + wide, () -> nn.mkdirs(q, wide, parent)); break; }
      case 3: case 4: { boolean over = below(2) == 0; t(as + "create " + q + " " + wide + " " + over, () -> create(nn, q, wide, over)); break; }
      case 5: d(as + "chmod " + q + " " + mode, () -> nn.setPermission(q, mode)); break;
      case 6: { String user = one(USERS), group = one(new String[] {"staff", "eng", "none"}); boolean both = below(2) == 0; d(as + "chown " + q + " " + user + " " + both + " " + group, () -> nn.setOwner(q, both ? user : null, group)); break; }
      case 7: { List<AclEntry> list = entries(false, true); d(as + "modify " + q + " " + list, () -> nn.modifyAclEntries(q, list)); break; }
      case 8: { List<AclEntry> list = entries(true, true); d(as + "set " + q + " " + list, () -> nn.setAcl(q, list)); break; }
      case 9: { List<AclEntry> list = entries(false, false); d(as + "remove " + q + " " + list, () -> nn.removeAclEntries(q, list)); break; }
      case 10: if (below(2) == 0) d(as + "remove default " + q, () -> nn.removeDefaultAcl(q)); else d(as + "remove all " + q, () -> nn.removeAcl(q)); break;
      case 11: case 12: { XAttr a = attribute(one(ATTRIBUTES)); boolean create = below(2) == 0; d(as + "setXAttr " + q + " " + a + " " + create, () -> nn.setXAttr(q, a, create ? EnumSet.of(XAttrSetFlag.CREATE) : EnumSet.of(XAttrSetFlag.REPLACE, XAttrSetFlag.CREATE))); break; }
      case 13: { XAttr a = attribute(one(ATTRIBUTES)); d(as + "removeXAttr " + q + " " + a, () -> nn.removeXAttr(q, a)); break; }
      case 14: { String name = one(ATTRIBUTES); t(as + "getXAttrs " + q + " " + name, () -> nn.getXAttrs(q, below(2) == 0 ? null : XAttrHelper.buildXAttrs(List.of(name)))); t(as + "listXAttrs " + q, () -> nn.listXAttrs(q)); break; }
      case 15: { long names = below(3) == 0 ? -1 : 1 + below(6), space = below(3) == 0 ? -1 : (1 + below(6)) * 1048576L; ClientProtocol su = below(4) == 0 ? nn : users[0]; d((su == nn ? as : "root: ") + "quota " + q + " " + names + " " + space, () -> su.setQuota(q, names, space, null)); break; }
      case 16: { StorageType kind = KINDS[below(3)]; long space = below(3) == 0 ? -1 : (1 + below(4)) * 1048576L; d("root: quota " + q + " " + kind + " " + space, () -> users[0].setQuota(q, Long.MAX_VALUE, space, kind)); break; }
      case 17: { String policy = one(POLICIES); d(as + "policy " + q + " " + policy, () -> nn.setStoragePolicy(q, policy)); break; }
      case 18: t(as + "rename " + q + " " + other, () -> nn.rename(q, other)); break;
      case 19: { boolean over = below(2) == 0; d(as + "rename2 " + q + " " + other + " " + over, () -> nn.rename2(q, other, over ? Options.Rename.OVERWRITE : Options.Rename.NONE)); break; }
      case 20: { boolean recursive = below(2) == 0; t(as + "delete " + q + " " + recursive, () -> nn.delete(q, recursive)); break; }
      default: { FsAction action = FsAction.values()[below(8)]; d(as + "access " + q + " " + action, () -> nn.checkAccess(q, action)); t(as + "list " + q, () -> { DirectoryListing l = nn.getListing(q, new byte[0], false); return l == null ? null : l.getPartialListing().length; }); t(as + "summary " + q, () -> nn.getContentSummary(q)); short to = (short) (1 + below(4)); t(as + "setReplication " + q + " " + to, () -> nn.setReplication(q, to)); }
    }
    ClientProtocol su = users[0];
    t("  is " + q, () -> {
      HdfsFileStatus s = su.getFileInfo(q);
      return s == null ? null : s.getPermission() + " " + s.getOwner() + ":" + s.getGroup() + " " + (s.hasAcl() ? su.getAclStatus(q).getEntries() : "") + " " + su.listXAttrs(q) + " " + su.getQuotaUsage(q);
    });
  }

  public static void main(String[] args) throws Exception {
    users[0] = as(ME, "supergroup");
    users[1] = as("alice", "staff");
    users[2] = as("bob", "eng", "staff");
    users[3] = as("carol", "none");
    int first = Integer.parseInt(args[0]), seeds = Integer.parseInt(args[1]), calls = Integer.parseInt(args[2]);
    for (int seed = first; seed < first + seeds; seed++) {
      System.out.println("---- seed " + seed);
      random = new SplittableRandom(seed);
      root = "/rules" + seed;
      users[0].mkdirs(root, new FsPermission((short) 01777), true);
      users[0].setPermission(root, new FsPermission((short) (seed % 2 == 0 ? 01777 : 0777)));
      for (int i = 0; i < calls; i++) call();
    }
    Runtime.getRuntime().halt(0);
  }
}
