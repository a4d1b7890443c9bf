//! Encryption zones.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirEncryptionZoneOp (3.5.0)

use std::sync::Arc;

use hdfs_blocks::Now;
use hdfs_namespace::{CipherSuite, Namespace, PlanContext, ReencryptedFile, Reencryption};
use hdfs_proto::hdfs as p;
use hdfs_types::{Error, ErrorKind, Result};

use crate::call::{Call, Caller};
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

    /// What a request to start or cancel a re-encryption needs before it is made: the name of the zone's key, for a start.
    ///
    /// # Errors
    /// AccessControl, SafeMode, Io without a key provider or a zone.
    pub fn check_reencryption(
        &self,
        call: &Call<'_>,
        request: &p::ReencryptEncryptionZoneRequestProto,
        has_provider: bool,
    ) -> Result<Option<String>> {
        check_superuser_for(call, "reencryptEncryptionZone")?;
        self.check_writable(&reencryption_text(request), call.now.mono)?;
        if !has_provider {
            return Err(Error::io(
                "No key provider configured, re-encryption operation is rejected",
            ));
        }
        if request.action() == p::ReencryptActionProto::CancelReencrypt {
            return Ok(None);
        }
        let path = request.zone.as_bytes();
        self.plan(call, |namespace, context| namespace.key_of_zone(context, path)).map(Some)
    }

    /// Proto: reencryptEncryptionZone. With the newest version of the zone's key it is started, without one canceled.
    ///
    /// # Errors
    /// AccessControl, SafeMode, Io with Hadoop's reasons.
    pub fn reencrypt_encryption_zone(
        &mut self,
        call: &Call<'_>,
        request: &p::ReencryptEncryptionZoneRequestProto,
        version: Option<&str>,
    ) -> Result<p::ReencryptEncryptionZoneResponseProto> {
        check_superuser_for(call, "reencryptEncryptionZone")?;
        let path = request.zone.as_bytes();
        self.change_once(call, &reencryption_text(request), |namespace, context| match version {
            Some(version) => namespace.plan_start_reencryption(context, path, version),
            None => namespace.plan_cancel_reencryption(context, path),
        })?;
        Ok(p::ReencryptEncryptionZoneResponseProto {})
    }

    /// The re-encryption that is due; none in safe mode.
    pub fn next_reencryption(&self) -> Option<Reencryption> {
        if self.in_safe_mode() { None } else { self.namespace.next_reencryption() }
    }

    /// Gives files their new keys; how many there were. None when there is nothing to go on with: the re-encryption was
    /// canceled, or safe mode is on.
    pub fn save_reencrypted(
        &mut self,
        now: Now,
        job: &Reencryption,
        files: &[ReencryptedFile],
        failures: u64,
        last: Option<&[u8]>,
    ) -> Option<u64> {
        let planned = self.plan_by_itself(now, |namespace, context| {
            namespace.plan_reencrypted(context, job, files, failures, last)
        })?;
        Some(self.commit(planned, now))
    }

    /// Ends a re-encryption; false when it had ended, or safe mode is on.
    pub fn finish_reencryption(&mut self, now: Now, job: &Reencryption) -> bool {
        let planned = self.plan_by_itself(now, |namespace, context| {
            namespace.plan_finish_reencryption(context, job)
        });
        planned.map(|planned| self.commit(planned, now)).is_some()
    }

    /// Plans what nobody called for; nothing in safe mode.
    fn plan_by_itself<T>(
        &self,
        now: Now,
        plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Option<T>,
    ) -> Option<T> {
        if self.in_safe_mode() {
            return None;
        }
        let caller = Caller { user: String::new(), groups: Vec::new(), superuser: true };
        let call = Call { caller: &Arc::new(caller), client_machine: "", key: None, now };
        self.plan(&call, plan)
    }
}

/// The beginning of Hadoop's sentence in safe mode.
fn reencryption_text(request: &p::ReencryptEncryptionZoneRequestProto) -> String {
    let action = match request.action() {
        p::ReencryptActionProto::StartReencrypt => "START",
        p::ReencryptActionProto::CancelReencrypt => "CANCEL",
    };
    format!("NameNode in safemode, cannot {action} re-encryption on zone {}", request.zone)
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
