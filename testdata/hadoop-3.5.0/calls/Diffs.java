// Reports of differences, whole and in parts, of paths inside snapshots and from wrong places on; each answer or error printed,
// as Calls.java does: run on any cluster of one DataNode with the settings of diffs.conf, the output must be that of Apache's
// (diffs.txt).
import java.util.*;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.hdfs.*;
import org.apache.hadoop.hdfs.protocol.*;
import org.apache.hadoop.hdfs.protocol.SnapshotDiffReportListing.DiffReportListingEntry;

public class Diffs {
  static DistributedFileSystem fs;
  static ClientProtocol nn;

  static void t(String name, Callable<Object> call) {
    String answer;
    try {
      answer = "= " + show(call.call());
    } catch (org.apache.hadoop.ipc.RemoteException e) {
      answer = "! " + e.getClassName() + ": " + String.valueOf(e.getMessage()).replaceAll("(?s)\\n.*", "");
    } catch (Throwable e) {
      answer = "! local " + e.getClass().getName() + ": " + e.getMessage();
    }
    System.out.println(name + "\n   " + answer);
  }

  static String show(Object o) {
    if (o instanceof SnapshotDiffReport) return o.toString().trim().replace("\n", "\n      ");
    SnapshotDiffReportListing l = (SnapshotDiffReportListing) o;
    return list("M", l.getModifyList()) + list("+", l.getCreateList()) + list("-", l.getDeleteList()) + "next ["
        + new String(l.getLastPath()) + "] " + l.getLastIndex() + " " + l.getIsFromEarlier();
  }

  static String list(String kind, List<DiffReportListingEntry> entries) {
    StringBuilder b = new StringBuilder();
    for (DiffReportListingEntry e : entries) {
      b.append(kind).append(' ').append(path(e.getSourcePath()));
      if (e.getTargetPath() != null) b.append(" to ").append(path(e.getTargetPath()));
      b.append(", ");
    }
    return b.toString();
  }

  static String path(byte[][] components) {
    return new String(DFSUtilClient.byteArray2bytes(components));
  }

  static void write(String path, int length) throws Exception {
    try (FSDataOutputStream out = fs.create(new Path(path), true, 4096, (short) 1, 1048576)) {
      out.write(new byte[length]);
    }
  }

  public static void main(String[] args) throws Exception {
    Configuration conf = new Configuration();
    fs = (DistributedFileSystem) FileSystem.newInstance(FileSystem.getDefaultUri(conf), conf);
    nn = fs.getClient().getNamenode();
    for (String dir : List.of("/d/x/deep", "/d/y", "/other")) fs.mkdirs(new Path(dir));
    for (String file : List.of("/d/a", "/d/x/f", "/d/x/g", "/d/x/deep/h", "/d/y/m", "/d/z")) write(file, 3);
    fs.allowSnapshot(new Path("/d"));
    fs.createSnapshot(new Path("/d"), "s0");
    write("/d/x/f", 4);
    write("/d/x/new", 1);
    write("/d/x/deep/new", 1);
    fs.delete(new Path("/d/a"), true);
    fs.rename(new Path("/d/x/g"), new Path("/d/y/g"));
    fs.setPermission(new Path("/d/z"), new org.apache.hadoop.fs.permission.FsPermission((short) 0600));
    fs.createSnapshot(new Path("/d"), "s1");
    write("/d/y/later", 1);
    fs.delete(new Path("/d/x/deep"), true);

    String[] inside = {"/d/.snapshot", "/d/.snapshot/s0", "/d/.snapshot/s0/x", "/d/.snapshot/s0/x/f", "/d/.snapshot/s0/none", "/d/.snapshot/none",
        "/d/.snapshot/none/x", "/d/.snapshot/s1/x", "/d/.snapshot/s1/x/deep", "/d/.snapshot/s1", "/d/x", "/d/x/f", "/other", "/other/.snapshot", "/none", "/"};
    String[][] pairs = {{"s0", "s1"}, {"s1", "s0"}, {"s0", ""}, {"", "s0"}, {"", ""}, {"s0", "s0"}, {"s0", "none"}, {"none", ""}};
    for (String path : inside)
      for (String[] pair : pairs) {
        String call = path + " [" + pair[0] + "] [" + pair[1] + "]";
        t("report " + call, () -> nn.getSnapshotDiffReport(path, pair[0], pair[1]));
        t("part " + call, () -> nn.getSnapshotDiffReportListing(path, pair[0], pair[1], new byte[0], -1));
      }

    String[] starts = {"", "x", "x/f", "x/deep", "x/deep/new", "y", "z", "a", "none", "x/none", "x/f/none", "none/f", "/x", "x/", "/", "//", "..", "d", "x/x"};
    int[] indexes = {-1, 0, 1, 3, 100, -2, Integer.MAX_VALUE, Integer.MIN_VALUE};
    for (String[] pair : new String[][] {{"s0", "s1"}, {"s1", "s0"}, {"s0", ""}, {"s0", "s0"}})
      for (String start : starts)
        for (int index : indexes)
          t("part /d [" + pair[0] + "] [" + pair[1] + "] from [" + start + "] " + index,
              () -> nn.getSnapshotDiffReportListing("/d", pair[0], pair[1], start.getBytes(), index));
    for (String start : List.of("f", "deep", "x", "x/f", "none"))
      for (int index : indexes)
        t("part /d/x [s0] [s1] from [" + start + "] " + index, () -> nn.getSnapshotDiffReportListing("/d/x", "s0", "s1", start.getBytes(), index));
    System.exit(0);
  }
}
