// Calls that meet the limits of a NameNode with small ones (limits.conf), and switches that are off by default, each answer
// or error printed as Features.java does: on any cluster of one DataNode with those settings, the output must be that of
// Apache's (limits.txt).
import java.util.*;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.fs.permission.*;
import org.apache.hadoop.hdfs.*;
import org.apache.hadoop.hdfs.protocol.*;

public class Limits extends Features {
  static String dir(String path) throws Exception {
    nn.mkdirs(path, perm(0755), true);
    return path;
  }

  static void names() throws Exception {
    dir("/n");
    for (int length : new int[] {19, 20, 21, 22, 300}) {
      String name = "x".repeat(length), wide = "\u00fc".repeat(length / 2) + (length % 2 == 1 ? "x" : "");
      for (String q : List.of("/n/" + name, "/n/" + wide, "/n/" + name + "/y", "/.reserved/raw/n/" + name)) {
        t("mkdirs " + length + " " + q.length(), () -> nn.mkdirs(q, perm(0755), true));
        t("create " + length, () -> nn.create(q + "f", perm(0644), "me", flags(CreateFlag.CREATE), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null) != null);
        t("rename " + length, () -> nn.rename("/n/a", q));
        d("rename2 " + length, () -> nn.rename2("/n/a", q, Options.Rename.NONE));
        d("symlink " + length, () -> nn.createSymlink("/n", q, perm(0777), true));
        t("delete " + length, () -> nn.delete(q, true) | nn.delete(q + "f", true));
      }
      t("createSnapshot " + length, () -> {
        nn.allowSnapshot("/n");
        String made = nn.createSnapshot("/n", name);
        nn.deleteSnapshot("/n", name);
        return made;
      });
    }
  }

  static void items() throws Exception {
    dir("/i");
    dir("/other/x");
    for (int i = 0; i < 8; i++) {
      String q = "/i/d" + i;
      t("mkdirs " + q, () -> nn.mkdirs(q, perm(0755), true));
    }
    t("create", () -> nn.create("/i/f", perm(0644), "me", flags(CreateFlag.CREATE), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null) != null);
    t("rename", () -> nn.rename("/other/x", "/i/x"));
    d("rename2", () -> nn.rename2("/other/x", "/i/x", Options.Rename.NONE));
    d("rename2 over one", () -> nn.rename2("/other/x", "/i/d0", Options.Rename.OVERWRITE));
    d("rename2 within", () -> nn.rename2("/i/d1", "/i/d9", Options.Rename.NONE));
    t("mkdirs in the root", () -> {
      for (int i = 0; i < 9; i++) nn.mkdirs("/root" + i, perm(0755), true);
      return "all";
    });
    for (int i = 0; i < 9; i++) nn.delete("/root" + i, true);
  }

  static void attributes() throws Exception {
    write("/a", 1);
    for (int size : new int[] {34, 35, 36, 38, 39, 40, 41, 100}) {
      d("setXAttr of " + size, () -> nn.setXAttr("/a", XAttrHelper.buildXAttr("user.name", new byte[size]), EnumSet.of(XAttrSetFlag.CREATE, XAttrSetFlag.REPLACE)));
      d("setXAttr of a name of " + size, () -> nn.setXAttr("/a", XAttrHelper.buildXAttr("user." + "n".repeat(size), null), EnumSet.of(XAttrSetFlag.CREATE, XAttrSetFlag.REPLACE)));
      d("removeXAttr " + size, () -> nn.removeXAttr("/a", XAttrHelper.buildXAttr("user." + "n".repeat(size))));
    }
    for (String name : List.of("user.one", "user.two", "user.three", "trusted.four", "raw.five", "system.six", "security.hdfs.unreadable.by.superuser", "user.one"))
      for (String q : List.of("/a", "/.reserved/raw/a")) {
        d("setXAttr " + name + " " + q, () -> nn.setXAttr(q, XAttrHelper.buildXAttr(name, name.startsWith("security") ? null : new byte[1]), EnumSet.of(XAttrSetFlag.CREATE)));
        t("listXAttrs", () -> nn.listXAttrs(q).size());
      }
    d("setXAttr without a flag", () -> nn.setXAttr("/a", XAttrHelper.buildXAttr("user.x", null), EnumSet.noneOf(XAttrSetFlag.class)));
    d("setXAttr replace none", () -> nn.setXAttr("/a", XAttrHelper.buildXAttr("user.x", null), EnumSet.of(XAttrSetFlag.REPLACE)));
    d("unreadable with a value", () -> nn.setXAttr("/a", XAttrHelper.buildXAttr("security.hdfs.unreadable.by.superuser", new byte[1]), EnumSet.of(XAttrSetFlag.CREATE)));
  }

  static void blocks() throws Exception {
    for (long size : new long[] {0, 1, 4095, 4096, 4097, 4608, -1})
      t("create of blocks of " + size, () -> nn.create("/b" + size, perm(0644), "me", flags(CreateFlag.CREATE), true, (short) 1, size, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null) != null && nn.delete("/b" + size, true));
    d("write three blocks", () -> {
      try (FSDataOutputStream out = fs.create(new Path("/b"), true, 4096, (short) 1, 4096)) {
        out.write(new byte[10000]);
      }
    });
    t("length", () -> nn.getFileInfo("/b").getLen());
    for (short replication : new short[] {0, 1, 4, 5, -1, 512, 513}) {
      t("setReplication " + replication, () -> nn.setReplication("/a", replication));
      t("create of " + replication + " replicas", () -> nn.create("/r", perm(0644), "me", flags(CreateFlag.CREATE), true, replication, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null) != null && nn.delete("/r", true));
    }
  }

  static void snapshots() throws Exception {
    dir("/s1/d");
    dir("/s2");
    for (String root : List.of("/s1", "/s2")) {
      nn.allowSnapshot(root);
      for (String name : List.of("a", "b", "c")) t("createSnapshot " + root + " " + name, () -> nn.createSnapshot(root, name));
    }
    t("the listing", () -> nn.getSnapshotListing("/s1"));
    d("delete in the middle", () -> nn.deleteSnapshot("/s1", "a"));
    t("and again", () -> nn.createSnapshot("/s1", "d"));
    t("listing from b", () -> nn.getListing("/s1/.snapshot", "b".getBytes(), false));
  }

  static void protectedOnes() throws Exception {
    dir("/prot/sub/deep");
    dir("/prot/empty");
    for (String q : List.of("/prot", "/prot/sub", "/prot/sub/deep", "/prot/empty")) {
      t("delete " + q, () -> nn.delete(q, true));
      t("rename " + q, () -> nn.rename(q, "/moved"));
      t("rename back " + q, () -> nn.rename("/moved", q));
      d("rename2 over " + q, () -> nn.rename2("/other", q, Options.Rename.OVERWRITE));
    }
    t("delete the root", () -> nn.delete("/", true));
    t("list", () -> nn.getListing("/prot", new byte[0], false));
  }

  static void lists() throws Exception {
    dir("/acl");
    StringBuilder many = new StringBuilder("user::rwx,group::r--,other::---");
    for (int i = 0; i < 28; i++) many.append(",user:u").append(i).append(":r--");
    String most = many.toString();
    d("setAcl of 31", () -> nn.setAcl("/acl", acl(most)));
    d("setAcl of 32", () -> nn.setAcl("/acl", acl(most + ",mask::r--")));
    d("setAcl of 33", () -> nn.setAcl("/acl", acl(most + ",user:v:r--")));
    d("modify by one", () -> nn.modifyAclEntries("/acl", acl("user:w:r--")));
    d("defaults", () -> nn.modifyAclEntries("/acl", acl("default:user:w:rwx,default:group:g:r-x")));
    t("status", () -> nn.getAclStatus("/acl"));
    for (int mode : new int[] {0777, 0750, 0700, 0, 01777}) {
      for (boolean both : new boolean[] {true, false}) {
        FsPermission made = both ? FsCreateModes.create(perm(mode & 0755), perm(mode)) : perm(mode);
        t("mkdirs " + Integer.toOctalString(mode) + both, () -> nn.mkdirs("/acl/d", made, false) + " " + nn.getAclStatus("/acl/d") + " " + nn.getFileInfo("/acl/d").getPermission());
        t("create " + Integer.toOctalString(mode) + both, () -> {
          nn.create("/acl/f", made, "me", flags(CreateFlag.CREATE), true, (short) 1, 1048576, new org.apache.hadoop.crypto.CryptoProtocolVersion[0], null, null);
          return nn.getAclStatus("/acl/f") + " " + nn.getFileInfo("/acl/f").getPermission();
        });
        nn.delete("/acl/d", true);
        nn.delete("/acl/f", true);
      }
    }
  }

  static void quotas() throws Exception {
    dir("/q/mine");
    nn.setOwner("/q", "bob", "users");
    as("bob", "users");
    d("owner of the parent", () -> nn.setQuota("/q/mine", 5, 1048576, null));
    d("owner of the parent, by type", () -> nn.setQuota("/q/mine", Long.MAX_VALUE, 1048576, StorageType.DISK));
    d("owner himself", () -> nn.setQuota("/q", 5, 1048576, null));
    as(ME, "supergroup");
    t("usage", () -> nn.getQuotaUsage("/q/mine"));
    d("write", () -> write("/q/mine/f", 10));
    d("write two", () -> write("/q/mine/g", 10));
    for (long[] q : new long[][] {{0, 0}, {-2, 1}, {1, -2}, {1, 0}, {Long.MAX_VALUE, Long.MAX_VALUE}, {-1, -1}, {Long.MAX_VALUE - 1, 5}})
      d("setQuota " + q[0] + " " + q[1], () -> nn.setQuota("/q/mine", q[0], q[1], null));
    d("by type with names", () -> nn.setQuota("/q/mine", 5, 1048576, StorageType.SSD));
    d("on a file", () -> nn.setQuota("/a", 5, 1048576, null));
    t("usage at the end", () -> nn.getQuotaUsage("/q/mine"));
  }

  public static void main(String[] args) throws Exception {
    as(ME, "supergroup");
    names();
    nn.disallowSnapshot("/n");
    nn.delete("/n", true);
    items();
    nn.delete("/i", true);
    attributes();
    blocks();
    nn.delete("/b", true);
    snapshots();
    for (String root : List.of("/s1", "/s2")) {
      for (SnapshotStatus s : nn.getSnapshotListing(root)) nn.deleteSnapshot(root, s.getDirStatus().getLocalName());
      nn.disallowSnapshot(root);
      nn.delete(root, true);
    }
    protectedOnes();
    lists();
    nn.delete("/acl", true);
    quotas();
    t("paths too long", () -> nn.mkdirs("/" + "y/".repeat(999) + "y", perm(0755), true));
    t("paths too deep", () -> nn.mkdirs("/" + "y/".repeat(1000) + "y", perm(0755), true));
    t("rename to a path too deep", () -> nn.rename("/other", "/" + "y/".repeat(1000) + "y"));
    d("rename2 to a path too deep", () -> nn.rename2("/other", "/" + "y/".repeat(1000) + "y", Options.Rename.NONE));
    Runtime.getRuntime().halt(0);
  }
}
