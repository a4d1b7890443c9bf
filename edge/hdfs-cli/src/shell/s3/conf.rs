//! The settings of one bucket: `fs.s3a.*`, and `fs.s3a.bucket.BUCKET.*` before them.
//!
//! Hadoop: org.apache.hadoop.fs.s3a.S3AUtils.propagateBucketOptions, CredentialProviderListFactory (3.5.0)

use std::time::Duration;

use hdfs_conf::{Configuration, Key, keys};
use object_store::aws::AwsCredential;

use crate::shell::failure::{Failure, Outcome};

/// Hadoop: Constants.MULTIPART_MIN_SIZE.
const SMALLEST_PART: u64 = 5 << 20;

/// What may stand in `fs.s3a.aws.credentials.provider`.
const SUPPORTED: &str = "TemporaryAWSCredentialsProvider, SimpleAWSCredentialsProvider, \
     AnonymousAWSCredentialsProvider (org.apache.hadoop.fs.s3a) or \
     software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider";

/// Where a bucket is and how to talk to it.
pub(super) struct BucketConf {
    pub(super) bucket: String,
    /// URL of the bucket, without a slash at its end.
    pub(super) url: String,
    /// The bucket stands in the host of the URL.
    pub(super) virtual_host: bool,
    pub(super) region: String,
    /// `None` for requests without a signature.
    pub(super) credential: Option<AwsCredential>,
    pub(super) part_size: u64,
    pub(super) active_parts: usize,
    pub(super) block_size: u64,
    pub(super) attempts: u32,
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
}

impl BucketConf {
    pub(super) fn new(bucket: &str, conf: &Configuration) -> Outcome<Self> {
        let conf = with_overrides(bucket, conf)?;
        if let Some(algorithm) = conf.get_opt(&keys::FS_S3A_ENCRYPTION_ALGORITHM) {
            let key = keys::FS_S3A_ENCRYPTION_ALGORITHM.name;
            return Err(Failure::io(format!(
                "{key} is {algorithm}: encryption by S3 is not supported yet; \
                 unset it to let the bucket's own default decide"
            )));
        }
        let endpoint = Endpoint::of(&conf);
        let path_style = conf.get_bool(&keys::FS_S3A_PATH_STYLE_ACCESS);
        let virtual_host = endpoint.takes_virtual_host(bucket, path_style);
        Ok(Self {
            url: endpoint.bucket_url(bucket, virtual_host),
            virtual_host,
            region: endpoint.region,
            credential: credential(&conf)?,
            part_size: conf.get_u64(&keys::FS_S3A_MULTIPART_SIZE)?.max(SMALLEST_PART),
            active_parts: conf.get_usize(&keys::FS_S3A_FAST_UPLOAD_ACTIVE_BLOCKS)?.max(1),
            block_size: conf.get_u64(&keys::FS_S3A_BLOCK_SIZE)?,
            attempts: conf.get_u32(&keys::FS_S3A_ATTEMPTS_MAXIMUM)?.max(1),
            connect_timeout: conf.get_duration(&keys::FS_S3A_CONNECTION_ESTABLISH_TIMEOUT)?,
            read_timeout: conf.get_duration(&keys::FS_S3A_CONNECTION_TIMEOUT)?,
            bucket: bucket.to_owned(),
        })
    }
}

/// The configuration with what is said for this bucket alone.
fn with_overrides(bucket: &str, conf: &Configuration) -> Outcome<Configuration> {
    let prefix = format!("fs.s3a.bucket.{bucket}.");
    let own: Vec<(String, String)> = conf
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?, value)))
        .map(|(name, value)| (format!("fs.s3a.{name}"), value.to_owned()))
        .collect();
    let mut conf = conf.clone();
    for (name, value) in own {
        conf.set(&name, &value)?;
    }
    Ok(conf)
}

struct Endpoint {
    scheme: &'static str,
    host: String,
    region: String,
}

impl Endpoint {
    fn of(conf: &Configuration) -> Self {
        let text = conf.get_opt(&keys::FS_S3A_ENDPOINT).unwrap_or_default().trim_end_matches('/');
        let (scheme, host) = match text.split_once("://") {
            Some(("http", host)) => ("http", host),
            Some((_, host)) => ("https", host),
            None if conf.get_bool(&keys::FS_S3A_CONNECTION_SSL_ENABLED) => ("https", text),
            None => ("http", text),
        };
        let region = conf.get_opt(&keys::FS_S3A_ENDPOINT_REGION).map(str::to_owned);
        let region = region.or_else(|| region_of(host)).unwrap_or_else(|| "us-east-1".to_owned());
        let host = match host {
            "" | "s3.amazonaws.com" => format!("s3.{region}.amazonaws.com"),
            host => host.to_owned(),
        };
        Self { scheme, host, region }
    }

    /// A name with dots does not fit the certificate of `*.s3.amazonaws.com`, so it stands in the path.
    fn takes_virtual_host(&self, bucket: &str, path_style: bool) -> bool {
        !(path_style || self.scheme == "https" && bucket.contains('.'))
    }

    fn bucket_url(&self, bucket: &str, virtual_host: bool) -> String {
        let Self { scheme, host, .. } = self;
        if virtual_host {
            format!("{scheme}://{bucket}.{host}")
        } else {
            format!("{scheme}://{host}/{bucket}")
        }
    }
}

/// The region in Amazon's own host names, as `s3.eu-west-1.amazonaws.com`.
fn region_of(host: &str) -> Option<String> {
    let rest = host.strip_prefix("s3.").or_else(|| host.strip_prefix("s3-"))?;
    let region = rest.strip_suffix(".amazonaws.com");
    let region = region.or_else(|| rest.strip_suffix(".amazonaws.com.cn"));
    region.filter(|region| !region.contains('.')).map(str::to_owned)
}

/// The credentials of the first provider that has some.
fn credential(conf: &Configuration) -> Outcome<Option<AwsCredential>> {
    let configured = |key: &Key| conf.get_opt(key).map(str::to_owned);
    let environment = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let pair = || (configured(&keys::FS_S3A_ACCESS_KEY), configured(&keys::FS_S3A_SECRET_KEY));
    let mut without = Vec::new();
    for class in conf.get_list(&keys::FS_S3A_AWS_CREDENTIALS_PROVIDER) {
        let name = class.rsplit('.').next().unwrap_or(class);
        let found = match name {
            "AnonymousAWSCredentialsProvider"
            | "AnonymousCredentialsProvider"
            | "AnonymousAWSCredentials" => return Ok(None),
            "TemporaryAWSCredentialsProvider" => {
                let token = configured(&keys::FS_S3A_SESSION_TOKEN);
                token.and_then(|token| complete(pair(), Some(token)))
            }
            "SimpleAWSCredentialsProvider" => complete(pair(), None),
            "EnvironmentVariableCredentialsProvider" => complete(
                (environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY")),
                environment("AWS_SESSION_TOKEN"),
            ),
            // Part of the default list: it matters only when nothing before it has credentials.
            "IAMInstanceCredentialsProvider" => None,
            _ => {
                let key = keys::FS_S3A_AWS_CREDENTIALS_PROVIDER.name;
                let message = format!("{key}: {class} is not supported; use {SUPPORTED}");
                return Err(Failure::io(message));
            }
        };
        match found {
            Some(found) => return Ok(Some(found)),
            None => without.push(name),
        }
    }
    Err(Failure::io(format!(
        "No AWS Credentials provided by {}: set fs.s3a.access.key and fs.s3a.secret.key, or AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY (credentials of an EC2 instance are not supported)",
        without.join(" ")
    )))
}

/// Credentials when both keys are there.
fn complete(
    keys: (Option<String>, Option<String>),
    token: Option<String>,
) -> Option<AwsCredential> {
    Some(AwsCredential { key_id: keys.0?, secret_key: keys.1?, token })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [(&str, &str); 2] = [("fs.s3a.access.key", "k"), ("fs.s3a.secret.key", "s")];
    const PROVIDER: &str = "fs.s3a.aws.credentials.provider";

    fn bucket(name: &str, pairs: &[(&str, &str)]) -> Outcome<BucketConf> {
        let mut conf = Configuration::new();
        for (name, value) in pairs {
            conf.set(name, value).unwrap();
        }
        BucketConf::new(name, &conf)
    }

    fn with_keys(name: &str, more: &[(&str, &str)]) -> BucketConf {
        bucket(name, &[&KEYS, more].concat()).unwrap()
    }

    fn refusal(pairs: &[(&str, &str)]) -> String {
        bucket("bkt", pairs).err().expect("refused").message().to_owned()
    }

    #[test]
    fn a_bucket_stands_in_host_or_path() {
        let check = |name: &str, more: &[(&str, &str)], url: &str, region: &str| {
            let conf = with_keys(name, more);
            assert_eq!((conf.url.as_str(), conf.region.as_str()), (url, region));
        };
        let own = ("fs.s3a.endpoint", "http://127.0.0.1:9000/");
        let path = ("fs.s3a.path.style.access", "true");
        check("bkt", &[own, path], "http://127.0.0.1:9000/bkt", "us-east-1");
        let named = ("fs.s3a.endpoint", "s3.eu-west-1.amazonaws.com");
        check("bkt", &[named], "https://bkt.s3.eu-west-1.amazonaws.com", "eu-west-1");
        let region = ("fs.s3a.endpoint.region", "us-west-2");
        check("a.b", &[region], "https://s3.us-west-2.amazonaws.com/a.b", "us-west-2");
        let plain = [("fs.s3a.endpoint", "minio:9000"), ("fs.s3a.connection.ssl.enabled", "false")];
        check("bkt", &plain, "http://bkt.minio:9000", "us-east-1");
    }

    #[test]
    fn what_is_said_for_a_bucket_goes_first() {
        let mine = ("fs.s3a.bucket.bkt.access.key", "mine");
        let others = ("fs.s3a.bucket.other.access.key", "no");
        let credential = with_keys("bkt", &[mine, others]).credential.unwrap();
        assert_eq!((credential.key_id.as_str(), credential.secret_key.as_str()), ("mine", "s"));
    }

    #[test]
    fn the_first_provider_with_credentials_counts() {
        let credential = with_keys("bkt", &[("fs.s3a.session.token", "t")]).credential.unwrap();
        assert_eq!(credential.token.as_deref(), Some("t"));
        let nobody = (PROVIDER, "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider");
        assert!(with_keys("bkt", &[nobody]).credential.is_none());
        let simple =
            refusal(&[(PROVIDER, "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider")]);
        assert!(simple.contains("No AWS Credentials provided by SimpleAWS"), "{simple}");
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        let own = refusal(&[(PROVIDER, "com.example.Own")]);
        assert!(own.contains("com.example.Own is not supported"), "{own}");
        let encryption = refusal(&[("fs.s3a.encryption.algorithm", "SSE-KMS")]);
        assert!(encryption.contains("SSE-KMS"), "{encryption}");
    }
}
