//! The operations: one table.

/// The HTTP methods that carry operations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum HttpMethod {
    /// Reads.
    Get,
    /// Creates and changes.
    Put,
    /// Adds to what is there.
    Post,
    /// Removes.
    Delete,
}

impl HttpMethod {
    /// The name, as HTTP and Hadoop's messages write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

macro_rules! operations {
    ($($(#[$doc:meta])* $variant:ident = $method:ident $name:literal;)*) => {
        /// An operation.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Op {
            $($(#[$doc])* $variant,)*
        }

        impl Op {
            /// Every operation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value of the parameter `op`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The HTTP method that carries it.
            pub fn method(self) -> HttpMethod {
                match self { $(Self::$variant => HttpMethod::$method,)* }
            }
        }
    };
}

operations! {
    /// Reads a file, on a DataNode.
    Open = Get "OPEN";
    /// Status of a path.
    GetFileStatus = Get "GETFILESTATUS";
    /// Statuses of a directory's children.
    ListStatus = Get "LISTSTATUS";
    /// Sums over a subtree.
    GetContentSummary = Get "GETCONTENTSUMMARY";
    /// Quotas of a directory.
    GetQuotaUsage = Get "GETQUOTAUSAGE";
    /// Checksum of a file, on a DataNode.
    GetFileChecksum = Get "GETFILECHECKSUM";
    /// The user's home.
    GetHomeDirectory = Get "GETHOMEDIRECTORY";
    /// A delegation token.
    GetDelegationToken = Get "GETDELEGATIONTOKEN";
    /// Blocks of a file, with everything about them.
    GetBlockLocations = Get "GET_BLOCK_LOCATIONS";
    /// Blocks of a file, as FileSystem shows them.
    GetFileBlockLocations = Get "GETFILEBLOCKLOCATIONS";
    /// Access control list.
    GetAclStatus = Get "GETACLSTATUS";
    /// Extended attributes with their values.
    GetXAttrs = Get "GETXATTRS";
    /// Where the trash of a path is.
    GetTrashRoot = Get "GETTRASHROOT";
    /// Names of extended attributes.
    ListXAttrs = Get "LISTXATTRS";
    /// Every storage policy.
    GetAllStoragePolicy = Get "GETALLSTORAGEPOLICY";
    /// Storage policy of a path.
    GetStoragePolicy = Get "GETSTORAGEPOLICY";
    /// Erasure-coding policy of a path.
    GetEcPolicy = Get "GETECPOLICY";
    /// Nothing: what the parameter's absence means.
    NullGet = Get "NULL";
    /// Whether the caller may.
    CheckAccess = Get "CHECKACCESS";
    /// A part of a directory's children.
    ListStatusBatch = Get "LISTSTATUS_BATCH";
    /// The server's defaults.
    GetServerDefaults = Get "GETSERVERDEFAULTS";
    /// Differences of two snapshots.
    GetSnapshotDiff = Get "GETSNAPSHOTDIFF";
    /// The same in parts.
    GetSnapshotDiffListing = Get "GETSNAPSHOTDIFFLISTING";
    /// Directories that may have snapshots.
    GetSnapshottableDirectoryList = Get "GETSNAPSHOTTABLEDIRECTORYLIST";
    /// Target of a link.
    GetLinkTarget = Get "GETLINKTARGET";
    /// Status of a path, of the link itself if it is one.
    GetFileLinkStatus = Get "GETFILELINKSTATUS";
    /// Capacity of the file system.
    GetStatus = Get "GETSTATUS";
    /// Every erasure-coding policy.
    GetEcPolicies = Get "GETECPOLICIES";
    /// Erasure-coding codecs.
    GetEcCodecs = Get "GETECCODECS";
    /// Every trash root.
    GetTrashRoots = Get "GETTRASHROOTS";
    /// Snapshots of a directory.
    GetSnapshotList = Get "GETSNAPSHOTLIST";
    /// Makes a file, on a DataNode.
    Create = Put "CREATE";
    /// Makes a directory.
    Mkdirs = Put "MKDIRS";
    /// Makes a link.
    CreateSymlink = Put "CREATESYMLINK";
    /// Renames.
    Rename = Put "RENAME";
    /// Sets the wanted number of replicas.
    SetReplication = Put "SETREPLICATION";
    /// Sets owner or group.
    SetOwner = Put "SETOWNER";
    /// Sets mode bits.
    SetPermission = Put "SETPERMISSION";
    /// Sets times.
    SetTimes = Put "SETTIMES";
    /// Renews a delegation token.
    RenewDelegationToken = Put "RENEWDELEGATIONTOKEN";
    /// Ends a delegation token.
    CancelDelegationToken = Put "CANCELDELEGATIONTOKEN";
    /// Changes entries of an access control list.
    ModifyAclEntries = Put "MODIFYACLENTRIES";
    /// Removes entries of an access control list.
    RemoveAclEntries = Put "REMOVEACLENTRIES";
    /// Removes the default entries.
    RemoveDefaultAcl = Put "REMOVEDEFAULTACL";
    /// Removes an access control list.
    RemoveAcl = Put "REMOVEACL";
    /// Moves blocks to where the storage policy wants them.
    SatisfyStoragePolicy = Put "SATISFYSTORAGEPOLICY";
    /// Replaces an access control list.
    SetAcl = Put "SETACL";
    /// Sets an extended attribute.
    SetXAttr = Put "SETXATTR";
    /// Removes an extended attribute.
    RemoveXAttr = Put "REMOVEXATTR";
    /// Switches an erasure-coding policy on.
    EnableEcPolicy = Put "ENABLEECPOLICY";
    /// Switches an erasure-coding policy off.
    DisableEcPolicy = Put "DISABLEECPOLICY";
    /// Sets the erasure-coding policy of a path.
    SetEcPolicy = Put "SETECPOLICY";
    /// Allows snapshots of a directory.
    AllowSnapshot = Put "ALLOWSNAPSHOT";
    /// Forbids snapshots of a directory.
    DisallowSnapshot = Put "DISALLOWSNAPSHOT";
    /// Makes a snapshot.
    CreateSnapshot = Put "CREATESNAPSHOT";
    /// Renames a snapshot.
    RenameSnapshot = Put "RENAMESNAPSHOT";
    /// Sets the storage policy of a path.
    SetStoragePolicy = Put "SETSTORAGEPOLICY";
    /// Sets quotas.
    SetQuota = Put "SETQUOTA";
    /// Sets the quota of a storage type.
    SetQuotaByStorageType = Put "SETQUOTABYSTORAGETYPE";
    /// Nothing.
    NullPut = Put "NULL";
    /// Adds to a file, on a DataNode.
    Append = Post "APPEND";
    /// Moves the blocks of files to the end of another.
    Concat = Post "CONCAT";
    /// Cuts a file.
    Truncate = Post "TRUNCATE";
    /// Takes the erasure-coding policy of a path away.
    UnsetEcPolicy = Post "UNSETECPOLICY";
    /// Takes the storage policy of a path away.
    UnsetStoragePolicy = Post "UNSETSTORAGEPOLICY";
    /// Nothing.
    NullPost = Post "NULL";
    /// Deletes.
    Delete = Delete "DELETE";
    /// Deletes a snapshot.
    DeleteSnapshot = Delete "DELETESNAPSHOT";
    /// Nothing.
    NullDelete = Delete "NULL";
}

impl Op {
    /// The operation of this name, whose letters may be small.
    pub fn find(method: HttpMethod, name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|op| op.method() == method && op.name().eq_ignore_ascii_case(name)).copied()
    }

    /// True for what a DataNode does, so that the NameNode answers with a redirect.
    pub fn redirects(self) -> bool {
        matches!(self, Self::Open | Self::GetFileChecksum | Self::Create | Self::Append)
    }
}
