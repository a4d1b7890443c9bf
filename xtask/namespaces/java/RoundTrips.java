// Apache's NameNode code over many name folders, in one JVM. One request a line on stdin, one answer a line on stdout:
//   load FOLDER          loads image and edits of FOLDER/current and saves an image there -> its path; FOLDER/usage gets
//                        the use of every directory with a quota: id, names, bytes, bytes of each kind of storage
//   xml IMAGE OUT        shows an image by the offline image viewer
//   edits IN OUT PROC    shows or writes edits by the offline edits viewer
// Every answer starts with "ok " or "error ". In this package because what loads a namespace is visible only here.
package org.apache.hadoop.hdfs.server.namenode;

import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.StorageType;
import org.apache.hadoop.hdfs.DFSConfigKeys;
import org.apache.hadoop.hdfs.server.common.HdfsServerConstants.NamenodeRole;
import org.apache.hadoop.hdfs.server.common.HdfsServerConstants.StartupOption;
import org.apache.hadoop.hdfs.server.namenode.snapshot.Snapshot;
import org.apache.hadoop.hdfs.tools.offlineEditsViewer.OfflineEditsViewer;
import org.apache.hadoop.hdfs.tools.offlineImageViewer.PBImageXmlWriter;
import org.apache.hadoop.hdfs.util.RwLockMode;
import org.apache.hadoop.metrics2.lib.DefaultMetricsSystem;
import org.apache.hadoop.util.ShutdownHookManager;

public final class RoundTrips {
  public static void main(String[] args) throws Exception {
    PrintStream answers = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), true, "UTF-8");
    System.setOut(System.err);
    FileSystem.enableSymlinks();
    DefaultMetricsSystem.setMiniClusterMode(true);
    NameNode.initMetrics(new Configuration(), NamenodeRole.NAMENODE);
    BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      String[] words = line.split(" ");
      try {
        answers.println("ok " + answer(words));
      } catch (Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text));
        answers.println("error " + text.toString().replace("\n", " | "));
      }
    }
  }

  private static String answer(String[] words) throws Exception {
    switch (words[0]) {
      case "load":
        return load(words[1]);
      case "edits":
        return edits(words[1], words[2], words[3]);
      default:
        return xml(words[1], words[2]);
    }
  }

  private static String load(String folder) throws Exception {
    Configuration conf = new Configuration();
    conf.set(DFSConfigKeys.FS_DEFAULT_NAME_KEY, "hdfs://127.0.0.1:1");
    conf.set(DFSConfigKeys.DFS_NAMENODE_NAME_DIR_KEY, "file://" + folder);
    conf.setBoolean(DFSConfigKeys.DFS_NAMENODE_DELEGATION_TOKEN_ALWAYS_USE_KEY, true);
    List<URI> dirs = Collections.singletonList(new URI("file://" + folder));
    FSImage image = new FSImage(conf, dirs, dirs);
    FSNamesystem namesystem = new FSNamesystem(conf, image, false);
    try {
      namesystem.writeLock(RwLockMode.GLOBAL);
      try {
        image.recoverTransitionRead(StartupOption.REGULAR, namesystem, null);
        // As when the NameNode becomes active.
        namesystem.getFSDirectory().updateCountForQuota();
        try (PrintStream usage = new PrintStream(folder + "/usage", "UTF-8")) {
          printUsage(namesystem.getFSDirectory().getRoot(), usage);
        }
        image.saveNamespace(namesystem);
        long txid = image.getLastAppliedTxId();
        return new File(folder, "current/fsimage_" + String.format("%019d", txid)).toString();
      } finally {
        namesystem.writeUnlock(RwLockMode.GLOBAL, "round trip");
      }
    } finally {
      namesystem.getBlockManager().close();
      namesystem.shutdown();
      image.close();
      // Saving adds a hook that keeps the whole namesystem.
      ShutdownHookManager.get().clearShutdownHooks();
    }
  }

  private static void printUsage(INodeDirectory directory, PrintStream out) {
    DirectoryWithQuotaFeature quota = directory.getDirectoryWithQuotaFeature();
    if (quota != null) {
      QuotaCounts used = quota.getSpaceConsumed();
      out.print(directory.getId() + " " + used.getNameSpace() + " " + used.getStorageSpace());
      for (StorageType kind : StorageType.getTypesSupportingQuota()) {
        out.print(" " + kind + "=" + used.getTypeSpace(kind));
      }
      out.println();
    }
    for (INode child : directory.getChildrenList(Snapshot.CURRENT_STATE_ID)) {
      if (child.isDirectory()) {
        printUsage(child.asDirectory(), out);
      }
    }
  }

  private static String edits(String in, String out, String processor) {
    int status = new OfflineEditsViewer().go(in, out, processor, new OfflineEditsViewer.Flags(), null);
    if (status != 0) {
      throw new IllegalStateException("the viewer ended with " + status);
    }
    return out;
  }

  private static String xml(String image, String out) throws Exception {
    try (PrintStream file = new PrintStream(out, "UTF-8"); RandomAccessFile in = new RandomAccessFile(image, "r")) {
      new PBImageXmlWriter(new Configuration(), file).visit(in);
    }
    return out;
  }
}
