// Calls about snapshots that are deleted in order, each answer or error printed, as Calls.java does: run on any cluster of
// one DataNode with the settings of ordered.conf, the output must be that of Apache's (ordered.txt).
import java.security.PrivilegedExceptionAction;
import java.util.*;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.fs.permission.*;
import org.apache.hadoop.hdfs.*;
import org.apache.hadoop.hdfs.protocol.*;
import org.apache.hadoop.security.UserGroupInformation;

public class Ordered {
  static final String ME = System.getProperty("user.name");
  static DistributedFileSystem fs;
  static ClientProtocol nn;

  static String clean(String s) {
    return s == null ? "null" : s.replaceAll("(?s)\\n.*", "").replaceAll("\\b" + ME + "\\b", "root");
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
    System.out.println(name + "\n   " + answer);
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
    if (o instanceof HdfsFileStatus) {
      HdfsFileStatus s = (HdfsFileStatus) o;
      return (s.isDirectory() ? "d" : "-") + s.getPermission() + " " + clean(s.getOwner()) + ":" + s.getGroup() + " " + s.getLen()
          + " ch" + s.getChildrenNum() + " [" + s.getLocalName() + "]" + (s.hasAcl() ? " acl" : "") + (s.isSnapshotEnabled() ? " snap" : "");
    }
    if (o instanceof DirectoryListing) {
      StringBuilder b = new StringBuilder("listed");
      for (HdfsFileStatus s : ((DirectoryListing) o).getPartialListing()) b.append("\n      ").append(show(s));
      return b.toString();
    }
    if (o instanceof SnapshotStatus[]) {
      StringBuilder b = new StringBuilder("listed");
      for (SnapshotStatus s : (SnapshotStatus[]) o)
        b.append("\n      ").append(s.getSnapshotID()).append(s.isDeleted() ? " deleted " : " active ").append(show(s.getDirStatus()));
      return b.toString();
    }
    if (o instanceof SnapshottableDirectoryStatus[]) {
      StringBuilder b = new StringBuilder("listed");
      for (SnapshottableDirectoryStatus s : (SnapshottableDirectoryStatus[]) o)
        b.append("\n      ").append(s.getFullPath()).append(' ').append(s.getSnapshotNumber()).append(' ').append(s.getSnapshotQuota());
      return b.toString();
    }
    if (o instanceof SnapshotDiffReport) return o.toString().trim().replace("\n", "\n      ");
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

  static void look(String directory, String... names) {
    t("getSnapshotListing " + directory, () -> nn.getSnapshotListing(directory));
    t("getListing " + directory + "/.snapshot", () -> nn.getListing(directory + "/.snapshot", new byte[0], false));
    t("getSnapshottableDirListing", () -> nn.getSnapshottableDirListing());
    t("getContentSummary " + directory, () -> nn.getContentSummary(directory));
    for (String name : names) {
      String path = directory + "/.snapshot/" + name;
      t("getFileInfo " + path, () -> nn.getFileInfo(path));
      t("getListing " + path, () -> nn.getListing(path, new byte[0], false));
      t("getContentSummary " + path, () -> nn.getContentSummary(path));
      t("getXAttrs " + path, () -> nn.getXAttrs(path, null).size());
      t("listXAttrs " + path, () -> nn.listXAttrs(path).size());
      t("getXAttrs system " + path, () -> nn.getXAttrs(path, XAttrHelper.buildXAttrs(List.of("system.hdfs.snapshot.deleted"))));
      t("getAclStatus " + path, () -> nn.getAclStatus(path).getEntries());
    }
  }

  static void compare(String directory, String... names) {
    for (String from : names) {
      for (String to : names) t("getSnapshotDiffReport " + directory + " " + from + " " + to, () -> nn.getSnapshotDiffReport(directory, from, to));
    }
  }

  /** Until no snapshot waits that could be deleted. */
  static void collect(String directory) throws Exception {
    for (int i = 0; i < 600; i++) {
      SnapshotStatus first = null;
      for (SnapshotStatus s : nn.getSnapshotListing(directory)) {
        if (first == null || s.getSnapshotID() < first.getSnapshotID()) first = s;
      }
      if (first == null || !first.isDeleted()) return;
      Thread.sleep(100);
    }
    System.out.println("!!!! nothing is collected");
  }

  static void renames(String... paths) {
    for (String from : paths) {
      for (String to : paths) {
        String name = from.substring(from.lastIndexOf('/'));
        t("rename " + from + " " + to, () -> {
          boolean inside = nn.getFileInfo(to) != null && nn.getFileInfo(to).isDirectory();
          return nn.rename(from, to) && (from.equals(to) || nn.rename(inside ? to + name : to, from));
        });
        d("rename2 " + from + " " + to + "/new", () -> {
          nn.rename2(from, to + "/new", Options.Rename.NONE);
          nn.rename2(to + "/new", from, Options.Rename.NONE);
        });
        d("rename2 over " + from + " " + to, () -> nn.rename2(from, to, Options.Rename.OVERWRITE));
        if (nn != null) restore();
      }
    }
  }

  static void restore() {
    try {
      for (String path : List.of("/o/in", "/o/in2", "/out", "/out2", "/p/in")) fs.mkdirs(new Path(path));
      for (String path : List.of("/o/in/f", "/out/f", "/f")) if (!fs.exists(new Path(path))) write(path, 0);
    } catch (java.io.IOException e) {
      System.out.println("!!!! " + e);
    } catch (Exception e) {
      throw new RuntimeException(e);
    }
  }

  public static void main(String[] args) throws Exception {
    as(ME, "supergroup");
    fs.mkdirs(new Path("/o/d"));
    fs.mkdirs(new Path("/p"));
    nn.allowSnapshot("/o");
    nn.allowSnapshot("/p");
    nn.setXAttr("/o", XAttrHelper.buildXAttr("user.a", new byte[] {1}), EnumSet.of(XAttrSetFlag.CREATE));
    write("/o/f", 10);
    nn.createSnapshot("/o", "s0");
    write("/o/g", 20);
    nn.createSnapshot("/o", "s1");
    nn.rename2("/o/f", "/o/d/f", Options.Rename.NONE);
    nn.modifyAclEntries("/o", AclEntry.parseAclSpec("user:u:r-x", true));
    nn.createSnapshot("/o", "s2");
    nn.delete("/o/g", false);
    nn.createSnapshot("/o", "s3");
    write("/o/d/f", 30);
    look("/o", "s0", "s2");
    d("deleteSnapshot none", () -> nn.deleteSnapshot("/o", "none"));
    d("deleteSnapshot no directory", () -> nn.deleteSnapshot("/none", "s0"));
    d("deleteSnapshot not snapshottable", () -> nn.deleteSnapshot("/o/d", "s0"));
    d("deleteSnapshot s2", () -> nn.deleteSnapshot("/o", "s2"));
    look("/o", "s2", "s2#2");
    compare("/o", "s0", "s1", "s2#2", "s3", "");
    d("deleteSnapshot s2 again", () -> nn.deleteSnapshot("/o", "s2"));
    d("deleteSnapshot s2#2", () -> nn.deleteSnapshot("/o", "s2#2"));
    look("/o", "s2#2#2");
    t("createSnapshot s2", () -> nn.createSnapshot("/o", "s2"));
    d("deleteSnapshot s2 of that name", () -> nn.deleteSnapshot("/o", "s2"));
    d("renameSnapshot s2#2#2", () -> nn.renameSnapshot("/o", "s2#2#2", "other"));
    d("renameSnapshot s3", () -> nn.renameSnapshot("/o", "s3", "other"));
    t("createSnapshot long", () -> nn.createSnapshot("/o", "x".repeat(255)).length());
    d("deleteSnapshot long", () -> nn.deleteSnapshot("/o", "x".repeat(255)));
    look("/o", "other");
    d("disallowSnapshot", () -> nn.disallowSnapshot("/o"));
    t("delete", () -> nn.delete("/o", true));
    as("bob", "users");
    d("deleteSnapshot s1", () -> nn.deleteSnapshot("/o", "s1"));
    d("deleteSnapshot s0", () -> nn.deleteSnapshot("/o", "s0"));
    as(ME, "supergroup");
    restore();
    renames("/o/in", "/o/in2", "/o/in/f", "/out", "/out2", "/out/f", "/f", "/p/in", "/new");
    d("deleteSnapshot s1", () -> nn.deleteSnapshot("/o", "s1"));
    d("deleteSnapshot s0", () -> nn.deleteSnapshot("/o", "s0"));
    collect("/o");
    look("/o", "s3");
    compare("/o", "s3", "");
    d("deleteSnapshot s3", () -> nn.deleteSnapshot("/o", "s3"));
    collect("/o");
    look("/o");
    t("createSnapshot first", () -> nn.createSnapshot("/o", "first"));
    d("deleteSnapshot first", () -> nn.deleteSnapshot("/o", "first"));
    d("disallowSnapshot", () -> nn.disallowSnapshot("/o"));
    Runtime.getRuntime().halt(0);
  }
}
