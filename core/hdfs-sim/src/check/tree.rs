//! The tree is what the clients were told: nothing is missing, nothing is left, nothing is elsewhere.

use std::collections::BTreeSet;

use crate::truth::{Entry, Truth};

/// Compares the paths of the NameNode (directories with a slash at their end) with the truth.
pub(crate) fn check(found: &BTreeSet<String>, truth: &Truth) -> Result<(), String> {
    for (path, entry) in &truth.tree {
        let name = match entry {
            Entry::Directory => format!("{path}/"),
            Entry::File(_) => path.clone(),
        };
        if !truth.is_unknown(path) && !found.contains(&name) {
            return Err(format!("{name} was acknowledged and is not there"));
        }
    }
    for name in found {
        let path = name.trim_end_matches('/');
        let known = match truth.tree.get(path) {
            Some(Entry::Directory) => name.ends_with('/'),
            Some(Entry::File(_)) => !name.ends_with('/'),
            None => false,
        };
        if !known && !truth.is_unknown(path) {
            return Err(format!("{name} is there, and nobody made it"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_left_over_is_found() {
        let mut truth = Truth::default();
        truth.tree.insert("/a".to_owned(), Entry::Directory);
        let found = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert!(check(&found(&["/a/"]), &truth).is_ok());
        assert!(check(&found(&[]), &truth).unwrap_err().contains("not there"));
        assert!(check(&found(&["/a/", "/b"]), &truth).unwrap_err().contains("nobody made it"));
        assert!(check(&found(&["/a"]), &truth).is_err());
        truth.forget("/b");
        assert!(check(&found(&["/a/", "/b"]), &truth).is_ok());
    }
}
