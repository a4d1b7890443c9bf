//! Paths as calls name them: reserved ones, snapshots, ids; on a tree with a little of everything.
#![no_main]

use std::cell::RefCell;

use hdfs_generate::Generator;
use hdfs_namespace::{AllComplete, Caller, PlanContext};
use hdfs_types::{Mono, WallMillis, is_valid_name, normalize};
use libfuzzer_sys::fuzz_target;

thread_local! {
    static TREE: RefCell<Generator> = RefCell::new({
        let mut generator = Generator::new(7);
        for _ in 0..60 {
            generator.step();
        }
        generator
    });
}

fuzz_target!(|path: &[u8]| {
    // Slashes that are too many count for nothing when a path is looked up.
    let valid = normalize(path).is_ok_and(|path| is_valid_name(&path));
    TREE.with_borrow(|generator| {
        let groups = ["supergroup".to_owned()];
        let ctx = PlanContext {
            now: WallMillis(1),
            mono: Mono(1),
            caller: Caller { user: "hdfs", groups: &groups, is_superuser: true },
            retry: None,
            conf: generator.conf(),
            blocks: &AllComplete,
        };
        let namespace = generator.namespace();
        let status = namespace.get_file_info(&ctx, path, false, false);
        assert!(
            valid || !matches!(status, Ok(Some(_))) || !path.starts_with(b"/a"),
            "a name that is not valid was found"
        );
        let _ = namespace.get_listing(&ctx, path, b"", false);
        let _ = namespace.plan_delete(&ctx, path, true);
        let _ = namespace.plan_mkdirs(&ctx, path, hdfs_types::FsPermission(0o755), None, true);
        let _ = namespace.get_xattrs(&ctx, path, &[]);
    });
});
