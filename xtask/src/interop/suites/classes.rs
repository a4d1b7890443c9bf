//! Which of Hadoop's test classes run, in which mode, and what passes in each on Apache's own daemons.
//!
//! Each class with a case that passes on Apache is in a list of its mode or in `conformance/not-run.tsv`, with the
//! reason. A class of which nothing passes there is in neither: it says nothing about a server. Classes that Apache's
//! record lacks may be in a list too: of those, every case that runs is to pass.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

/// Where the daemons of a test come from, as `junit.sh` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// A running cluster.
    Attach,
    /// Each test starts its own.
    Launch,
}

impl Mode {
    /// The mode of a suite whose cases Apache's record knows.
    pub(super) fn of(suite: &str) -> Option<Self> {
        match suite {
            "contract" | "attached" => Some(Self::Attach),
            "minicluster" | "launched" => Some(Self::Launch),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Attach => "attach",
            Self::Launch => "launch",
        }
    }
}

/// Classes of `minicluster.sh` that run in every gate; `minicluster.sh` without a pattern is the whole sweep.
pub(super) const MINICLUSTER: &[&str] = &[
    "org.apache.hadoop.hdfs.TestBatchedListDirectories",
    "org.apache.hadoop.hdfs.TestDatanodeDeath",
    "org.apache.hadoop.hdfs.TestFileCreationClient",
    "org.apache.hadoop.hdfs.TestFileLengthOnClusterRestart",
    "org.apache.hadoop.hdfs.TestHdfsAdmin",
    "org.apache.hadoop.hdfs.TestPersistBlocks",
    "org.apache.hadoop.hdfs.TestSetTimes",
    "org.apache.hadoop.hdfs.TestSetrepDecreasing",
    "org.apache.hadoop.hdfs.server.namenode.TestFileTruncate",
];

/// Classes on commands, WebHDFS, trash and the namespace's features that the contract lacks, on a running cluster.
pub(super) const ATTACHED: &[&str] = &[
    "org.apache.hadoop.fs.viewfs.TestViewFSOverloadSchemeWithMountTableConfigInHDFS",
    "org.apache.hadoop.fs.viewfs.TestViewFileSystemOverloadSchemeWithHdfsScheme",
    "org.apache.hadoop.hdfs.TestAppendDifferentChecksum",
    "org.apache.hadoop.hdfs.TestFileAppend",
    "org.apache.hadoop.hdfs.TestFileAppend2",
    "org.apache.hadoop.hdfs.TestListFilesInFileContext",
    "org.apache.hadoop.hdfs.TestLocalDFS",
    "org.apache.hadoop.hdfs.TestViewDistributedFileSystem",
    "org.apache.hadoop.hdfs.TestViewDistributedFileSystemContract",
    "org.apache.hadoop.hdfs.TestViewDistributedFileSystemWithMountLinks",
    "org.apache.hadoop.fs.loadGenerator.TestLoadGenerator",
    "org.apache.hadoop.hdfs.TestByteBufferPread",
    "org.apache.hadoop.hdfs.TestFileCreationDelete",
    "org.apache.hadoop.hdfs.TestGetFileChecksum",
    "org.apache.hadoop.hdfs.TestLeaseRecovery",
    "org.apache.hadoop.hdfs.TestDFSStripedOutputStreamUpdatePipeline",
    "org.apache.hadoop.hdfs.TestGetBlocks",
    "org.apache.hadoop.hdfs.TestSetrepIncreasing",
    "org.apache.hadoop.hdfs.TestDFSInputStream",
    "org.apache.hadoop.hdfs.TestDFSOutputStream",
    "org.apache.hadoop.hdfs.TestDFSClientRetries",
    "org.apache.hadoop.hdfs.TestFSInputChecker",
    "org.apache.hadoop.hdfs.TestFSOutputSummer",
    "org.apache.hadoop.hdfs.TestLargeBlock",
    "org.apache.hadoop.hdfs.TestRead",
    "org.apache.hadoop.hdfs.TestSeekBug",
    "org.apache.hadoop.fs.TestEnhancedByteBufferAccess",
    "org.apache.hadoop.hdfs.TestConnCache",
    "org.apache.hadoop.hdfs.TestDeadNodeDetection",
    "org.apache.hadoop.hdfs.TestEncryptedTransfer",
    "org.apache.hadoop.hdfs.protocol.datatransfer.sasl.TestSaslDataTransfer",
    "org.apache.hadoop.hdfs.server.datanode.TestBlockReplacement",
    "org.apache.hadoop.hdfs.server.datanode.TestCorruptMetadataFile",
    "org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.TestDatanodeRestart",
    "org.apache.hadoop.hdfs.TestReplaceDatanodeOnFailure",
    "org.apache.hadoop.hdfs.TestWriteRead",
    "org.apache.hadoop.hdfs.crypto.TestHdfsCryptoStreams",
    "org.apache.hadoop.hdfs.server.namenode.ha.TestNNHealthCheck",
    "org.apache.hadoop.hdfs.TestHDFSTrash",
    "org.apache.hadoop.hdfs.TestDFSShellTouch",
    "org.apache.hadoop.hdfs.TestDFSShellGenericOptions",
    "org.apache.hadoop.hdfs.TestFsShellPermission",
    "org.apache.hadoop.hdfs.TestWriteConfigurationToDFS",
    "org.apache.hadoop.hdfs.web.TestWebHDFS",
    "org.apache.hadoop.hdfs.web.TestWebHdfsUrl",
    "org.apache.hadoop.hdfs.tools.TestDebugAdmin",
    "org.apache.hadoop.hdfs.tools.TestDelegationTokenFetcher",
    "org.apache.hadoop.hdfs.tools.TestGetGroups",
    "org.apache.hadoop.hdfs.server.namenode.TestMalformedURLs",
    "org.apache.hadoop.hdfs.TestBlockStoragePolicy",
    "org.apache.hadoop.hdfs.TestErasureCodingAddConfig",
    "org.apache.hadoop.hdfs.TestExtendedAcls",
    "org.apache.hadoop.hdfs.TestFileStatusWithDefaultECPolicy",
    "org.apache.hadoop.hdfs.TestFileStatusWithRandomECPolicy",
    "org.apache.hadoop.hdfs.TestRenameWhileOpen",
    "org.apache.hadoop.hdfs.server.blockmanagement.TestSequentialBlockId",
    "org.apache.hadoop.hdfs.server.namenode.TestAclConfigFlag",
    "org.apache.hadoop.hdfs.server.namenode.TestCorrectnessOfQuotaAfterRenameOp",
    "org.apache.hadoop.hdfs.server.namenode.TestFSImage",
    "org.apache.hadoop.hdfs.server.namenode.TestProtectedDirectories",
    "org.apache.hadoop.hdfs.server.namenode.TestStartup",
    "org.apache.hadoop.hdfs.server.namenode.TestXAttrConfigFlag",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestAclWithSnapshot",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestFileContextSnapshot",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestXAttrWithSnapshot",
    "org.apache.hadoop.security.TestPermission",
    // Last: it leaves a rolling upgrade behind.
    "org.apache.hadoop.hdfs.TestRollingUpgrade",
];

/// The same subjects, where each test starts daemons of its own.
pub(super) const LAUNCHED: &[&str] = &[
    "org.apache.hadoop.TestGenericRefresh",
    "org.apache.hadoop.cli.TestDeleteCLI",
    "org.apache.hadoop.fs.viewfs.TestViewFileSystemAtHdfsRoot",
    "org.apache.hadoop.fs.viewfs.TestViewFsAtHdfsRoot",
    "org.apache.hadoop.fs.viewfs.TestViewFsHdfs",
    "org.apache.hadoop.hdfs.TestAppendSnapshotTruncate",
    "org.apache.hadoop.hdfs.TestApplyingStoragePolicy",
    "org.apache.hadoop.hdfs.TestDFSMkdirs",
    "org.apache.hadoop.hdfs.TestDFSShell",
    "org.apache.hadoop.hdfs.TestErasureCodingExerciseAPIs",
    "org.apache.hadoop.hdfs.TestErasureCodingPolicies",
    "org.apache.hadoop.hdfs.TestErasureCodingPolicyWithSnapshot",
    "org.apache.hadoop.hdfs.TestFileStatus",
    "org.apache.hadoop.hdfs.TestQuotaAllowOwner",
    "org.apache.hadoop.hdfs.TestSnapshotCommands",
    "org.apache.hadoop.hdfs.TestUnsetAndChangeDirectoryEcPolicy",
    "org.apache.hadoop.hdfs.server.namenode.FSXAttrBaseTest",
    "org.apache.hadoop.hdfs.server.namenode.TestDiskspaceQuotaUpdate",
    "org.apache.hadoop.hdfs.server.namenode.TestFSImageWithSnapshot",
    "org.apache.hadoop.hdfs.server.namenode.TestFSImageWithXAttr",
    "org.apache.hadoop.hdfs.server.namenode.TestFileContextXAttr",
    "org.apache.hadoop.hdfs.server.namenode.TestGetContentSummaryWithPermission",
    "org.apache.hadoop.hdfs.server.namenode.TestHDFSConcat",
    "org.apache.hadoop.hdfs.server.namenode.TestINodeFile",
    "org.apache.hadoop.hdfs.server.namenode.TestMetaSave",
    "org.apache.hadoop.hdfs.server.namenode.TestNameNodeXAttr",
    "org.apache.hadoop.hdfs.server.namenode.TestQuotaByStorageType",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestDisallowModifyROSnapshot",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestFSImageWithOrderedSnapshotDeletion",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestGetContentSummaryWithSnapshot",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestNestedSnapshots",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestOpenFilesWithSnapshot",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestRandomOpsWithSnapshots",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestRenameWithOrderedSnapshotDeletion",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestRenameWithSnapshots",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestSnapshot",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestSnapshotDiffReport",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestSnapshotFileLength",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestSnapshotListing",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestSnapshotNameWithInvalidCharacters",
    "org.apache.hadoop.hdfs.server.namenode.snapshot.TestSnapshotRename",
    "org.apache.hadoop.hdfs.tools.TestStoragePolicyCommands",
    "org.apache.hadoop.hdfs.tools.TestWebHDFSStoragePolicyCommands",
    "org.apache.hadoop.hdfs.web.TestWebHDFSXAttr",
];

/// Classes of which only these cases run here. Of the first the others pass on a running cluster, or on none; of the
/// second one case wants the server's objects and leaves a quota behind that the others would meet, and one wants that
/// a directory's files count as they did before it got its storage policy.
pub(super) const LAUNCHED_CASES: &[(&str, &[&str])] = &[
    (
        "org.apache.hadoop.hdfs.TestDistributedFileSystem",
        &[
            "testAllWithNoXmlDefaults",
            "testDFSClient",
            "testGetTrashRoot",
            "testGetTrashRoots",
            "testStatistics",
            "testStorageFavouredNodes",
        ],
    ),
    (
        "org.apache.hadoop.hdfs.TestQuota",
        &[
            "testBlockAllocationAdjustsUsageConservatively",
            "testClrQuotaOnRoot",
            "testDSQuotaExceededExceptionIsHumanReadable",
            "testHugeFileCount",
            "testMaxSpaceQuotas",
            "testNamespaceCommands",
            "testQuotaByStorageType",
            "testQuotaCommandsWithURI",
            "testRename",
            "testSetAndClearSpaceQuotaByStorageType",
            "testSetAndClearSpaceQuotaDirectoryNotExist",
            "testSetAndClearSpaceQuotaNoAccess",
            "testSetAndClearSpaceQuotaPathIsFile",
            "testSetAndClearSpaceQuotaRegular",
            "testSetSpaceQuotaNegativeNumber",
            "testSetSpaceQuotaWhenStorageTypeIsWrong",
            "testSpaceCommands",
        ],
    ),
];

/// The record of Apache's cases.
fn record() -> Result<String> {
    read(&super::super::shared().join("conformance/apache.tsv"))
}

fn read(file: &std::path::Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| file.display().to_string())
}

/// Whether a suite of this mode runs this case, if it runs the class.
fn runs(mode: Mode, class: &str, case: &str) -> bool {
    let part = LAUNCHED_CASES.iter().find(|(of, _)| mode == Mode::Launch && *of == class);
    part.is_none_or(|(_, cases)| cases.contains(&case))
}

/// What Apache's record says of one suite.
pub(super) struct Recorded {
    /// The cases that pass, `Class#method`.
    pub(super) passes: BTreeSet<String>,
    /// The classes that were run at all.
    pub(super) classes: BTreeSet<String>,
}

/// Apache's record, for the suites that it knows.
pub(super) fn recorded(suite: &str) -> Result<Option<Recorded>> {
    let Some(mode) = Mode::of(suite) else { return Ok(None) };
    let record = record()?;
    let passes = passes(&record)
        .filter(|(of, class, case)| *of == mode.name() && runs(mode, class, case))
        .map(|(_, class, case)| format!("{class}#{case}"))
        .collect();
    let classes = record.lines().filter_map(|line| class_of_mode(line, mode)).collect();
    Ok(Some(Recorded { passes, classes }))
}

/// The class of a line of the record, if it is of this mode.
fn class_of_mode(line: &str, mode: Mode) -> Option<String> {
    let mut fields = line.split('\t');
    (fields.next()? == mode.name()).then_some(())?;
    fields.next().map(str::to_owned)
}

/// Mode, class and case of what passes in a record.
fn passes(record: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    record.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (mode, class, case) = (fields.next()?, fields.next()?, fields.next()?);
        (fields.next() == Some("pass")).then_some((mode, class, case))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Where each class is named: mode and class to the lists.
    fn named() -> BTreeMap<(String, String), Vec<String>> {
        let mut named: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        let mut name = |mode: &str, class: &str, list: &str| {
            named.entry((mode.to_owned(), class.to_owned())).or_default().push(list.to_owned());
        };
        for (list, mode, classes) in [
            ("MINICLUSTER", Mode::Launch, MINICLUSTER),
            ("LAUNCHED", Mode::Launch, LAUNCHED),
            ("ATTACHED", Mode::Attach, ATTACHED),
        ] {
            for class in classes {
                name(mode.name(), class, list);
            }
        }
        for (class, _) in LAUNCHED_CASES {
            name("launch", class, "LAUNCHED_CASES");
        }
        for class in contract() {
            name("attach", &class, "contract.sh");
        }
        let not_run = read(&crate::root().join("conformance/not-run.tsv")).unwrap();
        for line in not_run.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            let [mode, class, reason] = fields.as_slice() else {
                panic!("want mode, class, reason in: {line}");
            };
            assert!(reason.len() > 10, "{class} wants a reason");
            name(mode, class, "not-run.tsv");
        }
        named
    }

    /// The classes that contract.sh runs.
    fn contract() -> BTreeSet<String> {
        let script = super::super::super::shared().join("conformance/contract.sh");
        let script = read(&script).unwrap().replace("\\\n", " ");
        let mut classes = BTreeSet::new();
        for word in script.split(|c: char| c.is_whitespace() || "\"()".contains(c)) {
            if let Some(name) = word.strip_prefix("$p.").filter(|name| !name.contains('$')) {
                classes.insert(format!("org.apache.hadoop.{name}"));
            }
        }
        let list = script.split_once("for k in ").and_then(|(_, rest)| rest.split_once("; do"));
        for name in list.expect("contract.sh has a loop over names").0.split_whitespace() {
            classes.insert(format!("org.apache.hadoop.fs.contract.hdfs.TestHDFSContract{name}"));
        }
        classes
    }

    #[test]
    fn every_class_that_passes_on_apache_is_run_once_or_has_a_reason() {
        let named = named();
        let record = record().unwrap();
        let known: BTreeSet<(String, String)> =
            passes(&record).map(|(mode, class, _)| (mode.to_owned(), class.to_owned())).collect();
        let mut wrong: Vec<String> = named
            .iter()
            .filter(|(_, lists)| lists.len() > 1)
            .map(|((mode, class), lists)| format!("{mode} {class} is in {}", lists.join(" and ")))
            .collect();
        wrong.extend(
            known
                .iter()
                .filter(|class| !named.contains_key(class))
                .map(|(mode, class)| format!("{mode} {class} is in no list")),
        );
        let ran: BTreeSet<(String, String)> = [Mode::Attach, Mode::Launch]
            .into_iter()
            .flat_map(|mode| {
                record.lines().filter_map(move |line| {
                    Some((mode.name().to_owned(), class_of_mode(line, mode)?))
                })
            })
            .collect();
        wrong.extend(
            named
                .iter()
                .filter(|(class, lists)| {
                    // contract.sh's own list is not ours to change.
                    let idle = !known.contains(class) && ran.contains(class);
                    (idle && **lists != ["contract.sh"])
                        || (!known.contains(class) && **lists == ["not-run.tsv"])
                })
                .map(|((mode, class), _)| format!("{mode} {class} passes nothing on Apache")),
        );
        let recorded = |class: &str| ran.contains(&("launch".to_owned(), class.to_owned()));
        for (class, cases) in LAUNCHED_CASES.iter().filter(|(class, _)| recorded(class)) {
            let passing: Vec<&str> = passes(&record)
                .filter(|(mode, of, _)| *mode == "launch" && of == class)
                .map(|(.., case)| case)
                .collect();
            wrong.extend(
                cases
                    .iter()
                    .filter(|case| !passing.contains(case))
                    .map(|case| format!("{class}#{case} does not pass on Apache")),
            );
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn known_failures_are_cases_of_classes_that_run() {
        let lists = [("attached", ATTACHED), ("launched", LAUNCHED), ("minicluster", MINICLUSTER)];
        let known = read(&crate::root().join("conformance/known-failures.tsv")).unwrap();
        for line in known.lines().filter(|line| !line.starts_with('#')) {
            let suite = line.split('\t').next().unwrap_or_default();
            let case = line.split('\t').nth(1).unwrap_or_default();
            let class = case.split('#').next().unwrap_or_default();
            if let Some((_, classes)) = lists.iter().find(|(name, _)| *name == suite) {
                assert!(classes.contains(&class), "{suite} does not run {class}");
            }
        }
    }
}
