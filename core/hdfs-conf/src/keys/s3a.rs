//! Keys of `s3a://`. A key `fs.s3a.NAME` may be overridden for one bucket as `fs.s3a.bucket.BUCKET.NAME`.

use super::keys;

keys! { S3A:
    /// Host of the S3 service, with or without http:// or https:// in front; Amazon's when unset.
    FS_S3A_ENDPOINT = "fs.s3a.endpoint", Text, none;
    /// Region of the S3 service.
    FS_S3A_ENDPOINT_REGION = "fs.s3a.endpoint.region", Text, none;
    /// Whether an endpoint without a scheme is reached over TLS.
    FS_S3A_CONNECTION_SSL_ENABLED = "fs.s3a.connection.ssl.enabled", Bool, "true";
    /// Whether the bucket stands in the path of a URL instead of in its host.
    FS_S3A_PATH_STYLE_ACCESS = "fs.s3a.path.style.access", Bool, "false";
    /// Access key of S3.
    FS_S3A_ACCESS_KEY = "fs.s3a.access.key", Text, none;
    /// Secret key of S3.
    FS_S3A_SECRET_KEY = "fs.s3a.secret.key", Text, none;
    /// Token of temporary credentials of S3.
    FS_S3A_SESSION_TOKEN = "fs.s3a.session.token", Text, none;
    /// Classes of Hadoop and Amazon that give credentials, tried in this order.
    FS_S3A_AWS_CREDENTIALS_PROVIDER = "fs.s3a.aws.credentials.provider", List, "\n    org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider,\n    org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider,\n    software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider,\n    org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider\n  ";
    /// Size of a part of a large upload to S3.
    FS_S3A_MULTIPART_SIZE = "fs.s3a.multipart.size", Bytes, "64M";
    /// Parts of one upload that are sent at the same time; each is held in memory.
    FS_S3A_FAST_UPLOAD_ACTIVE_BLOCKS = "fs.s3a.fast.upload.active.blocks", Int, "4";
    /// Block size that files on S3 report.
    FS_S3A_BLOCK_SIZE = "fs.s3a.block.size", Bytes, "32M";
    /// How often a request to S3 is repeated.
    FS_S3A_ATTEMPTS_MAXIMUM = "fs.s3a.attempts.maximum", Int, "5";
    /// Time limit of connecting to S3.
    FS_S3A_CONNECTION_ESTABLISH_TIMEOUT = "fs.s3a.connection.establish.timeout", Time(Millis), "30s";
    /// How long S3 may be silent.
    FS_S3A_CONNECTION_TIMEOUT = "fs.s3a.connection.timeout", Time(Millis), "200s";
    /// Server-side encryption of new objects.
    FS_S3A_ENCRYPTION_ALGORITHM = "fs.s3a.encryption.algorithm", Text, none, was "fs.s3a.server-side-encryption-algorithm";
}
