//! The order in which Java walks through a hash table of strings: images and messages of Apache's viewer have it.
//!
//! Java also sorts a bucket of more than eight strings into a tree, which takes strings made to collide; that is not
//! followed.
//!
//! Hadoop: java.util.HashMap (JDK 17)

/// Slots of an empty table.
const INITIAL_CAPACITY: usize = 16;

/// The keys in Java's order. They are given as they were put in; `most` is how many the table has ever held.
pub(super) fn hash_order<'a>(keys: &[&'a str], most: usize) -> Vec<&'a str> {
    let mut capacity = INITIAL_CAPACITY;
    // It doubles when it is more than three quarters full.
    while most > capacity / 4 * 3 {
        capacity *= 2;
    }
    let mut ordered = keys.to_vec();
    ordered.sort_by_key(|key| slot(key, capacity));
    ordered
}

fn slot(key: &str, capacity: usize) -> usize {
    let hash = key
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ hash >> 16) as usize & (capacity - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_in_the_order_of_java() {
        // jshell> new HashSet<>(List.of("owner", "root", "supergroup", "", "alice", "é😀"))
        let keys = ["owner", "root", "supergroup", "", "alice", "é😀"];
        let jshell = include_str!("hash_order.txt");
        assert_eq!(format!("[{}]\n", hash_order(&keys, keys.len()).join(", ")), jshell);
    }
}
