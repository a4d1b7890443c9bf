//! Identifiers.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// Identity of a file, directory or symlink; never reused. The root is 16,385.
    INodeId(u64)
}
id! {
    /// Identity of a block inside its pool. Negative for striped block groups.
    BlockId(i64)
}
id! {
    /// Version of a block: only grows. A replica with an older stamp is stale.
    GenerationStamp(u64)
}
id! {
    /// Position in the edit log; the first transaction is 1.
    TxId(u64)
}
id! {
    /// Number of a call on one client; with [`ClientId`] it names a call for the retry cache.
    CallId(i32)
}

impl GenerationStamp {
    /// The stamp that replica recovery uses when the client knows none ("grandfather" in Hadoop).
    pub const GRANDFATHER: Self = Self(0);
}

/// The 16-byte UUID by which an RPC client names itself. All zero: the client sent none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ClientId(pub [u8; 16]);

impl ClientId {
    /// True for the id that a request without one gets.
    pub fn is_absent(&self) -> bool {
        self.0 == [0; 16]
    }

    /// Reads the id of a request header; any length other than 16 counts as absent.
    pub fn from_wire(bytes: &[u8]) -> Self {
        <[u8; 16]>::try_from(bytes).map_or_else(|_| Self::default(), Self)
    }
}

impl fmt::Debug for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The form of a UUID: 8-4-4-4-12 hexadecimal digits.
impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub std::sync::Arc<str>);

        impl $name {
            /// The text form, as on wire and disk.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

name! {
    /// Name of a block pool: `BP-<random>-<address>-<milliseconds>`. Cheap to clone.
    BlockPoolId
}
name! {
    /// Identity of a DataNode, kept in its VERSION files. Cheap to clone.
    DatanodeUuid
}
name! {
    /// Identity of one volume of a DataNode: `DS-<uuid>`. Cheap to clone.
    StorageUuid
}
