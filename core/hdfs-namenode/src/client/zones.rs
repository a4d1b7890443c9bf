//! Encryption zones.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirEncryptionZoneOp (3.5.0)

use hdfs_namespace::CipherSuite;
use hdfs_proto::hdfs as p;
use hdfs_types::{Error, ErrorKind, Result};

use crate::call::Call;
use crate::machine::NameNode;

/// What a key provider says about a key.
pub type KeyCipher = Result<Option<String>>;

impl NameNode {
    /// Proto: createEncryptionZone. `cipher` is what the key provider says about the key's cipher: `Ok(None)` when it does
    /// not know the key; no provider at all is `None`.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser, SafeMode, Io with Hadoop's reasons.
    pub fn create_encryption_zone(
        &mut self,
        call: &Call<'_>,
        request: &p::CreateEncryptionZoneRequestProto,
        cipher: Option<KeyCipher>,
    ) -> Result<p::CreateEncryptionZoneResponseProto> {
        check_superuser_for(call, "createEncryptionZone")?;
        let src = &request.src;
        let Some(cipher) = cipher else {
            return Err(Error::io(format!(
                "Can't create an encryption zone for {src} since no key provider is available."
            )));
        };
        let key = request.key_name.as_deref().unwrap_or_default();
        if key.is_empty() {
            return Err(Error::io("Must specify a key name when creating an encryption zone"));
        }
        let cipher = cipher?.ok_or_else(|| Error::io(format!("Key {key} doesn't exist.")))?;
        let suite = CipherSuite::from_name(&cipher).ok_or_else(|| {
            let text = format!("Invalid cipher suite name: {cipher}");
            Error::new(ErrorKind::IllegalArgument, text)
        })?;
        self.change_once(
            call,
            &format!("Cannot create encryption zone on {src}"),
            |namespace, context| {
                namespace.plan_create_encryption_zone(context, src.as_bytes(), suite, key)
            },
        )?;
        Ok(p::CreateEncryptionZoneResponseProto {})
    }

    /// Proto: getEZForPath.
    pub fn get_ez_for_path(
        &self,
        call: &Call<'_>,
        request: &p::GetEzForPathRequestProto,
    ) -> Result<p::GetEzForPathResponseProto> {
        let zone = self.plan(call, |namespace, context| {
            namespace.get_encryption_zone(context, request.src.as_bytes())
        })?;
        Ok(p::GetEzForPathResponseProto { zone })
    }

    /// Proto: listEncryptionZones.
    ///
    /// # Errors
    /// AccessControl for anybody but the superuser.
    pub fn list_encryption_zones(
        &self,
        call: &Call<'_>,
        request: &p::ListEncryptionZonesRequestProto,
    ) -> Result<p::ListEncryptionZonesResponseProto> {
        check_superuser_for(call, "listEncryptionZones")?;
        let (zones, has_more) = self
            .plan(call, |namespace, context| namespace.list_encryption_zones(context, request.id));
        Ok(p::ListEncryptionZonesResponseProto { zones, has_more })
    }

    /// Proto: listReencryptionStatus.
    ///
    /// # Errors
    /// AccessControl for anybody but the superuser.
    pub fn list_reencryption_status(
        &self,
        call: &Call<'_>,
        request: &p::ListReencryptionStatusRequestProto,
    ) -> Result<p::ListReencryptionStatusResponseProto> {
        check_superuser_for(call, "listReencryptionStatus")?;
        let (statuses, has_more) = self.plan(call, |namespace, context| {
            namespace.list_reencryption_status(context, request.id)
        });
        Ok(p::ListReencryptionStatusResponseProto { statuses, has_more })
    }

    /// Proto: reencryptEncryptionZone.
    ///
    /// # Errors
    /// Io without a key provider; with one, too: nothing is encrypted anew yet.
    pub fn reencrypt_encryption_zone(
        &self,
        call: &Call<'_>,
        _: &p::ReencryptEncryptionZoneRequestProto,
        has_provider: bool,
    ) -> Result<p::ReencryptEncryptionZoneResponseProto> {
        check_superuser_for(call, "reencryptEncryptionZone")?;
        if !has_provider {
            return Err(Error::io(
                "No key provider configured, re-encryption operation is rejected",
            ));
        }
        Err(Error::new(ErrorKind::UnsupportedOperation, "re-encryption is not supported yet"))
    }
}

fn check_superuser_for(call: &Call<'_>, operation: &str) -> Result<()> {
    if call.caller.superuser {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::AccessControl,
        format!(
            "Access denied for user {}. Superuser privilege is required for operation {operation}",
            call.caller.user
        ),
    ))
}
