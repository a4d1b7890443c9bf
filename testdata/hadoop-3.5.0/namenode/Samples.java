// Makes a namespace that has something of everything, on a running Apache cluster of three DataNodes.
import java.util.*;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.*;
import org.apache.hadoop.fs.permission.*;
import org.apache.hadoop.hdfs.*;
import org.apache.hadoop.hdfs.client.HdfsDataOutputStream;
import org.apache.hadoop.hdfs.protocol.*;
import org.apache.hadoop.io.erasurecode.ECSchema;
import org.apache.hadoop.hdfs.security.token.delegation.DelegationTokenIdentifier;
import org.apache.hadoop.security.token.Token;

public class Samples {
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
    FileSystem.enableSymlinks();
    fs.mkdirs(p("/dir/a/b"));
    write("/dir/a/three-blocks", 5000, 2048, 3);
    write("/dir/a/empty", 0, 1048576, 1);
    write("/dir/a/three-blocks", 3000, 2048, 2);               // overwritten
    write("/dir/\u00e4 <&>\"' \ud83d\ude00 \u65e5", 10, 1048576, 1);
    write("/dir/a/control\u0001\u0085\ufffe;x", 10, 1048576, 1);
    try (FSDataOutputStream out = fs.append(p("/dir/a/three-blocks"))) { out.write(new byte[700]); out.hsync(); out.write(1); }
    try (FSDataOutputStream out = fs.append(p("/dir/a/three-blocks"), EnumSet.of(CreateFlag.APPEND, CreateFlag.NEW_BLOCK), 4096, null)) { out.write(new byte[70]); }
    fs.truncate(p("/dir/a/three-blocks"), 2048);
    write("/dir/a/cut", 5000, 2048, 1);
    fs.truncate(p("/dir/a/cut"), 3000);
    Thread.sleep(4000);
    for (int i = 0; i < 3; i++) write("/dir/part" + i, 2048, 2048, 1);
    fs.concat(p("/dir/part0"), new Path[] {p("/dir/part1"), p("/dir/part2")});
    fs.rename(p("/dir/part0"), p("/dir/whole"));
    write("/dir/old", 1, 1048576, 1);
    fs.rename(p("/dir/whole"), p("/dir/old"), Options.Rename.OVERWRITE);
    fs.rename(p("/dir/old"), p("/dir/old2"), Options.Rename.NONE);
    fs.rename(p("/dir/old2"), p("/dir/old3"), new Options.Rename[] {});
    fs.setReplication(p("/dir/a/empty"), (short) 2);
    fs.setPermission(p("/dir/a/empty"), new FsPermission((short) 0640));
    fs.setPermission(p("/dir/a/b"), new FsPermission((short) 01777));
    fs.setOwner(p("/dir/a"), "alice", null);
    fs.setOwner(p("/dir/a"), null, "staff");
    fs.setOwner(p("/dir/a/b"), "bob", "users");
    fs.setTimes(p("/dir/a/empty"), 1500000000123L, -1);
    fs.setTimes(p("/dir/a/empty"), -1, 1500000000456L);
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
    List<AclEntry> acl = AclEntry.parseAclSpec("user::rwx,user:alice:r-x,group::r--,group:ops:rwx,mask::rwx,other::---,default:user::rwx,default:user:carol:rw-,default:group::r-x,default:mask::rwx,default:other::--x", true);
    fs.mkdirs(p("/acl"));
    fs.setAcl(p("/acl"), acl);
    fs.mkdirs(p("/acl/inherited"));
    write("/acl/file", 3, 1048576, 1);
    fs.modifyAclEntries(p("/acl/file"), AclEntry.parseAclSpec("user:dave:-w-", true));
    fs.removeAcl(p("/acl/inherited"));
    fs.setXAttr(p("/acl"), "user.colour", "gr\u00fcn".getBytes("UTF-8"));
    fs.setXAttr(p("/acl"), "user.none", new byte[0]);
    fs.setXAttr(p("/acl"), "trusted.bytes", new byte[] {0, 1, (byte) 0xfe, (byte) 0xff});
    fs.setXAttr(p("/.reserved/raw/acl/file"), "raw.r", new byte[] {9});
    fs.removeXAttr(p("/acl"), "user.none");
    fs.setXAttr(p("/acl/file"), "security.hdfs.unreadable.by.superuser", null);
    fs.createSymlink(p("/dir/a/empty"), p("/link"), false);
    write("/snap/base/file", 100, 1048576, 1);
    fs.allowSnapshot(p("/snap"));
    fs.createSnapshot(p("/snap"), "s0");
    fs.rename(p("/snap/base/file"), p("/snap/base/renamed"));
    write("/snap/base/new", 10, 1048576, 1);
    fs.mkdirs(p("/snap/sub"));
    fs.createSnapshot(p("/snap"), "s1");
    fs.renameSnapshot(p("/snap"), "s1", "s2");
    try (FSDataOutputStream out = fs.append(p("/snap/base/renamed"))) { out.write(5); }
    fs.setPermission(p("/snap/base"), new FsPermission((short) 0700));
    fs.delete(p("/snap/base/new"), false);
    fs.rename(p("/snap/sub"), p("/dir/moved-out"));
    fs.rename(p("/snap/base/renamed"), p("/dir/moved-file"));
    fs.setReplication(p("/dir/moved-file"), (short) 2);
    fs.createSnapshot(p("/snap"), "s3");
    fs.createSnapshot(p("/snap"), "gone");
    fs.deleteSnapshot(p("/snap"), "gone");
    fs.mkdirs(p("/disallowed"));
    fs.allowSnapshot(p("/disallowed"));
    fs.disallowSnapshot(p("/disallowed"));
    fs.addCachePool(new CachePoolInfo("pool").setMode(new FsPermission((short) 0755)).setLimit(1L << 30).setMaxRelativeExpiryMs(86400000L).setDefaultReplication((short) 2));
    fs.addCachePool(new CachePoolInfo("gone"));
    fs.modifyCachePool(new CachePoolInfo("pool").setOwnerName("alice").setGroupName("staff").setLimit(1L << 31));
    fs.removeCachePool("gone");
    long id = fs.addCacheDirective(new CacheDirectiveInfo.Builder().setPath(p("/dir/a/empty")).setPool("pool").setReplication((short) 2).build());
    long id2 = fs.addCacheDirective(new CacheDirectiveInfo.Builder().setPath(p("/quota")).setPool("pool").setExpiration(CacheDirectiveInfo.Expiration.newRelative(3600000)).build());
    fs.modifyCacheDirective(new CacheDirectiveInfo.Builder().setId(id).setReplication((short) 3).build());
    fs.removeCacheDirective(id2);
    Map<String, String> options = new LinkedHashMap<>();
    options.put("key", "value");
    fs.addErasureCodingPolicies(new ErasureCodingPolicy[] {
        new ErasureCodingPolicy(new ECSchema("rs", 4, 2), 65536),
        new ErasureCodingPolicy(new ECSchema("xor", 2, 1, options), 131072)});
    fs.enableErasureCodingPolicy("RS-4-2-64k");
    fs.disableErasureCodingPolicy("RS-4-2-64k");
    fs.removeErasureCodingPolicy("RS-4-2-64k");
    fs.enableErasureCodingPolicy("XOR-2-1-1024k");
    fs.mkdirs(p("/ec"));
    fs.setErasureCodingPolicy(p("/ec"), "XOR-2-1-1024k");
    write("/ec/striped", 1500000, 1048576, 1);
    fs.getDelegationToken("alice");
    String me = System.getProperty("user.name");
    fs.getDelegationToken(me).renew(conf);
    fs.getDelegationToken(me).cancel(conf);
    fs.mkdirs(p("/trash"));
    write("/trash/x", 1, 1048576, 1);
    fs.delete(p("/trash"), true);
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
