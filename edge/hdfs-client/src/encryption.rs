//! The calls about encryption zones, as the wire has them. The keys themselves are the NameNode's and the clients'
//! business with a key provider.

use hdfs_proto::hdfs as proto;
use hdfs_types::Result;

use crate::HdfsClient;

impl HdfsClient {
    /// Makes an empty directory an encryption zone.
    ///
    /// Proto: encryption.proto createEncryptionZone
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`, `SafeMode`, `Io` for an unknown key or a directory that is not empty.
    pub async fn create_encryption_zone(&self, path: &str, key: &str) -> Result<()> {
        let request = proto::CreateEncryptionZoneRequestProto {
            src: path.to_owned(),
            key_name: Some(key.to_owned()),
        };
        let _: proto::CreateEncryptionZoneResponseProto =
            self.namenode().call("createEncryptionZone", &request).await?;
        Ok(())
    }

    /// The zone that a path lies in.
    ///
    /// Proto: encryption.proto getEZForPath
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn encryption_zone(&self, path: &str) -> Result<Option<proto::EncryptionZoneProto>> {
        let request = proto::GetEzForPathRequestProto { src: path.to_owned() };
        let answer: proto::GetEzForPathResponseProto =
            self.namenode().call("getEZForPath", &request).await?;
        Ok(answer.zone)
    }

    /// All zones by id. Asks as often as there are pages.
    ///
    /// Proto: encryption.proto listEncryptionZones
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn encryption_zones(&self) -> Result<Vec<proto::EncryptionZoneProto>> {
        let mut request = proto::ListEncryptionZonesRequestProto { id: 0 };
        let mut all = Vec::new();
        loop {
            let mut page: proto::ListEncryptionZonesResponseProto =
                self.namenode().call("listEncryptionZones", &request).await?;
            let last = page.zones.last().map(|zone| zone.id);
            all.append(&mut page.zones);
            match last {
                Some(id) if page.has_more => request.id = id,
                _ => return Ok(all),
            }
        }
    }

    /// Starts (or, with `cancel`, ends) the re-encryption of a zone's file keys.
    ///
    /// Proto: encryption.proto reencryptEncryptionZone
    ///
    /// # Errors
    /// `AccessControl`, `SafeMode`, `Io`.
    pub async fn reencrypt_encryption_zone(&self, path: &str, cancel: bool) -> Result<()> {
        let action = if cancel {
            proto::ReencryptActionProto::CancelReencrypt
        } else {
            proto::ReencryptActionProto::StartReencrypt
        };
        let request = proto::ReencryptEncryptionZoneRequestProto {
            action: action as i32,
            zone: path.to_owned(),
        };
        let _: proto::ReencryptEncryptionZoneResponseProto =
            self.namenode().call("reencryptEncryptionZone", &request).await?;
        Ok(())
    }

    /// How far each re-encryption is. Asks as often as there are pages.
    ///
    /// Proto: encryption.proto listReencryptionStatus
    ///
    /// # Errors
    /// `AccessControl`.
    pub async fn reencryption_status(&self) -> Result<Vec<proto::ZoneReencryptionStatusProto>> {
        let mut request = proto::ListReencryptionStatusRequestProto { id: 0 };
        let mut all = Vec::new();
        loop {
            let mut page: proto::ListReencryptionStatusResponseProto =
                self.namenode().call("listReencryptionStatus", &request).await?;
            let last = page.statuses.last().map(|status| status.id);
            all.append(&mut page.statuses);
            match last {
                Some(id) if page.has_more => request.id = id,
                _ => return Ok(all),
            }
        }
    }

    /// How a file is encrypted; `None` for one that is not.
    ///
    /// Proto: ClientNamenodeProtocol.proto getFileInfo
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn file_encryption_info(
        &self,
        path: &str,
    ) -> Result<Option<proto::FileEncryptionInfoProto>> {
        let request = proto::GetFileInfoRequestProto { src: path.to_owned() };
        let answer: proto::GetFileInfoResponseProto =
            self.namenode().call("getFileInfo", &request).await?;
        let status = answer.fs.ok_or_else(|| {
            let message = format!("File does not exist: {path}");
            hdfs_types::Error::new(hdfs_types::ErrorKind::FileNotFound, message)
        })?;
        Ok(status.file_encryption_info)
    }
}
