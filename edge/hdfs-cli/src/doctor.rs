//! `hdfs doctor PATH|BLOCK`: why a block is missing, corrupt or lacks replicas, and what to do.

use hdfs_conf::Configuration;
use hdfs_types::Result;

use crate::fsck::{Place, form_encoded};
use crate::output::{complain, print, print_error};

pub(crate) const USAGE: &str = "\
Usage: hdfs doctor PATH|BLOCK
Explains, from what the NameNode knows, why blocks of a file are missing, corrupt or lack replicas, and what to do.

  PATH              a file
  BLOCK             a block: blk_1073741825, with or without its generation stamp; for the superuser

Exit status: 0 when everything is as it should be, 1 when something needs attention, 255 when there is no answer.
";

/// Answers longer than this are cut: no file is told about at such length.
const LONGEST_ANSWER: usize = 16 << 20;

/// Runs `hdfs doctor ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    let target = match args {
        [only] if ["-h", "-help", "--help"].contains(&only.as_str()) => {
            print(USAGE);
            return 0;
        }
        [target] if !target.starts_with('-') => target,
        _ => {
            print_error(USAGE);
            return 255;
        }
    };
    ask(conf, target).unwrap_or_else(|error| {
        complain!("doctor: {}", error.message);
        255
    })
}

fn ask(conf: &Configuration, target: &str) -> Result<i32> {
    let is_block = target.starts_with("blk_");
    let Some(place) = Place::find(conf, if is_block { "/" } else { target })? else {
        return Ok(255);
    };
    let target = if is_block { target } else { &place.path };
    let user = form_encoded(&hdfs_rt::users::current_user());
    let response = place.ask(&format!("/doctor?ugi={user}&target={}", form_encoded(target)))?;
    let status = response.status;
    let text = response.text(LONGEST_ANSWER)?;
    if status != 200 {
        complain!("doctor: {}", text.trim_end());
        return Ok(255);
    }
    print(&text);
    Ok(i32::from(!text.trim_end().ends_with("is HEALTHY")))
}
