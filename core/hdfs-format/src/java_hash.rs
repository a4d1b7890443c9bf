//! The order in which Java's hash tables give back what they hold: some of Hadoop's files and outputs have it.
//!
//! Hadoop: java.util.HashMap, java.util.Hashtable (17)

use std::collections::BTreeMap;

/// `String.hashCode`.
pub fn hash_code(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(unit.into()))
}

/// The order of a `HashMap` that was filled with these keys in this order and began with so many buckets (a power of
/// two; 16 by default).
pub fn hash_map_order(keys: &[&str], buckets: usize) -> Vec<usize> {
    let mut buckets = buckets.max(1).next_power_of_two();
    while keys.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    let bucket = |index: &usize| {
        let hash = keys.get(*index).map_or(0, |key| hash_code(key));
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    };
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by_key(bucket);
    order
}

/// Buckets of a `HashMap` that is a copy of one with so many entries.
pub fn copied_buckets(entries: usize) -> usize {
    (entries * 4 / 3 + 1).next_power_of_two()
}

/// The order of a `Hashtable` that was filled with these keys in this order.
pub fn hashtable_order(keys: &[&str]) -> Vec<usize> {
    let mut capacity = 11;
    let mut table: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let hashes: Vec<usize> =
        keys.iter().map(|key| (hash_code(key) & 0x7fff_ffff) as usize).collect();
    for (count, hash) in hashes.iter().enumerate() {
        if count >= capacity * 3 / 4 {
            capacity = capacity * 2 + 1;
            // From the last bucket to the first; a chain's first comes first, and so ends up last.
            let old = std::mem::take(&mut table);
            for index in old.into_values().rev().flat_map(|chain| chain.into_iter().rev()) {
                let bucket = hashes.get(index).map_or(0, |hash| hash % capacity);
                table.entry(bucket).or_default().push(index);
            }
        }
        table.entry(hash % capacity).or_default().push(count);
    }
    // A chain is kept with its first at the end.
    table.into_values().rev().flat_map(|chain| chain.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted<'a>(keys: &[&'a str], order: &[usize]) -> Vec<&'a str> {
        order.iter().map(|index| keys[*index]).collect()
    }

    #[test]
    fn orders_are_those_that_java_17_gave() {
        assert_eq!(hash_code("mykey"), 104_374_579);
        let keys = ["mykey@0", "mykey", "second@0", "second", "second@1"];
        let order = hashtable_order(&keys);
        assert_eq!(sorted(&keys, &order), ["mykey@0", "second", "second@1", "second@0", "mykey"]);
        let names: Vec<String> = (0..20).map(|index| format!("key{index}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(
            sorted(&names, &hashtable_order(&names)).join(" "),
            "key19 key18 key17 key16 key15 key14 key13 key12 key11 key10 key9 key8 key7 key6 key5 key4 key3 key2 key1 \
             key0"
        );
        assert_eq!(
            sorted(&names, &hash_map_order(&names, 16)).join(" "),
            "key1 key2 key0 key5 key6 key3 key4 key9 key7 key8 key11 key10 key15 key14 key13 key12 key19 key18 key17 \
             key16"
        );
        let few = ["team", "cost", "zoo", "alpha"];
        let order = sorted(&few, &hash_map_order(&few, 16));
        assert_eq!(order, ["cost", "alpha", "team", "zoo"]);
        let copy = hash_map_order(&order, copied_buckets(4));
        assert_eq!(sorted(&order, &copy), ["cost", "team", "zoo", "alpha"]);
    }
}
