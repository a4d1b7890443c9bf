// Makes a namespace with the features that every cluster uses, on a running Apache cluster of two DataNodes.
import java.util.*;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.fs.permission.*;
import org.apache.hadoop.hdfs.*;
import org.apache.hadoop.hdfs.client.HdfsDataOutputStream;
import org.apache.hadoop.hdfs.protocol.*;

public class Plain {
  static DistributedFileSystem fs;
  static Path p(String path) { return new Path(path); }
  static void write(String path, int length, int blockSize, int replication) throws Exception {
    try (FSDataOutputStream out = fs.create(p(path), true, 4096, (short) replication, blockSize)) {
      out.write(new byte[length]);
    }
  }
  @SuppressWarnings("deprecation")
  public static void main(String[] args) throws Exception {
    Configuration conf = new Configuration();
    conf.set("dfs.client.block.write.replace-datanode-on-failure.policy", "NEVER");
    fs = (DistributedFileSystem) FileSystem.get(conf);
    fs.mkdirs(p("/dir/a/b"));
    write("/dir/a/three-blocks", 5000, 2048, 2);
    write("/dir/a/empty", 0, 1048576, 1);
    write("/dir/a/three-blocks", 3000, 2048, 2);               // overwritten
    write("/dir/\u00e4 \ud83d\ude00 \u65e5", 10, 1048576, 1);
    try (FSDataOutputStream out = fs.append(p("/dir/a/three-blocks"))) { out.write(new byte[700]); out.hsync(); out.write(1); }
    try (FSDataOutputStream out = fs.append(p("/dir/a/three-blocks"), EnumSet.of(CreateFlag.APPEND, CreateFlag.NEW_BLOCK), 4096, null)) { out.write(new byte[70]); }
    fs.truncate(p("/dir/a/three-blocks"), 2048);
    write("/dir/a/cut", 5000, 2048, 1);
    fs.truncate(p("/dir/a/cut"), 3000);
    Thread.sleep(4000);
    try (FSDataOutputStream out = fs.append(p("/dir/a/cut"))) { out.write(new byte[3000]); }
    for (int i = 0; i < 3; i++) write("/dir/part" + i, 2048, 2048, 1);
    fs.concat(p("/dir/part0"), new Path[] {p("/dir/part1"), p("/dir/part2")});
    fs.rename(p("/dir/part0"), p("/dir/whole"));
    fs.rename(p("/dir/whole"), p("/dir/a"));
    write("/dir/old", 1, 1048576, 1);
    fs.rename(p("/dir/a/whole"), p("/dir/old"), Options.Rename.OVERWRITE);
    fs.rename(p("/dir/old"), p("/dir/old2"), Options.Rename.NONE);
    fs.setReplication(p("/dir/a/empty"), (short) 2);
    fs.setPermission(p("/dir/a/empty"), new FsPermission((short) 0640));
    fs.setPermission(p("/dir/a/b"), new FsPermission((short) 01777));
    fs.setOwner(p("/dir/a"), "alice", null);
    fs.setOwner(p("/dir/a"), null, "staff");
    fs.setOwner(p("/dir/a/b"), "bob", "users");
    fs.setTimes(p("/dir/a/empty"), 1500000000123L, -1);
    fs.setTimes(p("/dir/a/empty"), -1, 1500000000456L);
    fs.mkdirs(p("/dir/future"));
    write("/dir/future/f", 5, 1048576, 1);
    fs.setTimes(p("/dir/future/f"), 4000000000000L, -1);
    fs.rename(p("/dir/future/f"), p("/dir/a/b/f"));            // takes its time along to the new parent
    fs.setQuota(p("/dir"), 1000, 1L << 40);
    fs.setQuota(p("/dir"), -1, Long.MAX_VALUE);
    fs.mkdirs(p("/quota"));
    fs.setQuota(p("/quota"), 7, HdfsConstants.QUOTA_RESET);
    fs.setQuotaByStorageType(p("/quota"), StorageType.SSD, 123456789);
    fs.setQuotaByStorageType(p("/quota"), StorageType.DISK, 1L << 33);
    fs.setStoragePolicy(p("/quota"), "COLD");
    fs.mkdirs(p("/quota/unset"));
    fs.setStoragePolicy(p("/quota/unset"), "ALL_SSD");
    fs.unsetStoragePolicy(p("/quota/unset"));
    fs.mkdirs(p("/quota/cleared"));
    fs.setQuota(p("/quota/cleared"), 5, 5);
    fs.setQuota(p("/quota/cleared"), HdfsConstants.QUOTA_RESET, HdfsConstants.QUOTA_RESET);
    write("/dir/policy", 5, 1048576, 1);
    fs.setStoragePolicy(p("/dir/policy"), "ALL_SSD");
    fs.create(p("/dir/lazy"), FsPermission.getFileDefault(), EnumSet.of(CreateFlag.CREATE, CreateFlag.LAZY_PERSIST), 4096, (short) 1, 1048576, null).close();
    List<AclEntry> acl = AclEntry.parseAclSpec("user::rwx,user:alice:r-x,group::r--,group:ops:rwx,mask::rwx,other::---,default:user::rwx,default:user:carol:rw-,default:group::r-x,default:mask::rwx,default:other::--x", true);
    fs.mkdirs(p("/acl"));
    fs.setAcl(p("/acl"), acl);
    fs.mkdirs(p("/acl/inherited"));
    fs.mkdirs(p("/acl/deep/er"));
    write("/acl/file", 3, 1048576, 1);
    fs.modifyAclEntries(p("/acl/file"), AclEntry.parseAclSpec("user:dave:-w-", true));
    fs.removeAcl(p("/acl/inherited"));
    fs.mkdirs(p("/acl2"));
    fs.setAcl(p("/acl2"), AclEntry.parseAclSpec("user::rwx,group::r-x,other::r-x,default:user::rwx,default:group::r-x,default:other::--x", true));
    fs.mkdirs(p("/acl2/sub"));
    write("/acl2/file", 3, 1048576, 1);
    fs.setXAttr(p("/acl"), "user.colour", "gr\u00fcn".getBytes("UTF-8"));
    fs.setXAttr(p("/acl"), "user.none", new byte[0]);
    fs.setXAttr(p("/acl"), "trusted.bytes", new byte[] {0, 1, (byte) 0xfe, (byte) 0xff});
    fs.setXAttr(p("/acl"), "user.colour", "rot".getBytes("UTF-8"));
    fs.removeXAttr(p("/acl"), "user.none");
    fs.mkdirs(p("/gone/x/y"));
    write("/gone/x/f", 1, 1048576, 1);
    fs.delete(p("/gone"), true);
    FSDataOutputStream moving = fs.create(p("/dir/moving"), true, 4096, (short) 1, 2048);
    moving.write(new byte[2500]); moving.hflush();
    fs.rename(p("/dir/moving"), p("/dir/moved"));
    moving.write(new byte[100]); moving.close();
    // Left open: leases, and the last block under construction.
    FSDataOutputStream open = fs.create(p("/dir/open"), true, 4096, (short) 1, 2048);
    open.write(new byte[5000]);
    ((HdfsDataOutputStream) open).hsync(EnumSet.of(HdfsDataOutputStream.SyncFlag.UPDATE_LENGTH));
    FSDataOutputStream stale = fs.create(p("/dir/stale"), true, 4096, (short) 1, 1048576);
    stale.write(3); stale.hflush();
    fs.recoverLease(p("/dir/stale"));
    Runtime.getRuntime().halt(0);
  }
}
