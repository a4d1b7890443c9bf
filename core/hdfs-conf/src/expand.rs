//! `${var}` in values.
//!
//! A variable is, in this order: `env.NAME` of the process's environment (with `${env.NAME-default}` when it is unset and
//! `${env.NAME:-default}` when it is unset or empty), a property of the process, another key of the configuration.
//! What cannot be resolved stays as it is written.
//!
//! Hadoop: Configuration.substituteVars (3.5.0)

use crate::Environment;

/// Replacements in one value, as many as Hadoop allows.
const MAX_SUBSTITUTIONS: usize = 20;

/// The value needs more replacements than are allowed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooDeep;

/// Expands the leftmost variable until there is none; `lookup` gives the raw value of a key.
pub(crate) fn expand(
    text: &str,
    environment: &Environment,
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<String, TooDeep> {
    let mut value = text.to_owned();
    for _ in 0..MAX_SUBSTITUTIONS {
        let Some((start, end)) = find_variable(&value) else { return Ok(value) };
        let name = &value[start + 2..end];
        let Some(replacement) = resolve(name, environment).or_else(|| lookup(name)) else {
            return Ok(value);
        };
        // A value that contains itself is left as it was written.
        if replacement.contains(&value[start..=end]) {
            return Ok(text.to_owned());
        }
        value.replace_range(start..=end, &replacement);
    }
    Err(TooDeep)
}

/// Positions of the `$` and the `}` of the first variable. Names hold no blank, no `$` and no `}`.
fn find_variable(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(start) = text[from..].find("${").map(|at| at + from) {
        let name = start + 2;
        let end = text[name..].find(['}', ' ', '$']).map(|at| at + name)?;
        if text.as_bytes()[end] == b'}' && end > name {
            return Some((start, end));
        }
        // The `$` that ended this name may start the next one.
        from = if text.as_bytes()[end] == b'$' { end } else { end + 1 };
    }
    None
}

fn resolve(name: &str, environment: &Environment) -> Option<String> {
    let Some(variable) = name.strip_prefix("env.").filter(|rest| !rest.is_empty()) else {
        return environment.properties.get(name).cloned();
    };
    let get = |name: &str| environment.variables.get(name).cloned();
    // Whichever comes first decides: ":-" also replaces an empty value, "-" only a missing one.
    match (variable.find(":-"), variable.find('-')) {
        (Some(colon), Some(dash)) if colon < dash => get(&variable[..colon])
            .filter(|value| !value.is_empty())
            .or_else(|| Some(variable[colon + 2..].to_owned())),
        (_, Some(dash)) => get(&variable[..dash]).or_else(|| Some(variable[dash + 1..].to_owned())),
        _ => get(variable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, TooDeep> {
        let mut environment = Environment::default();
        environment.variables.insert("HOME".into(), "/home/anna".into());
        environment.variables.insert("EMPTY".into(), String::new());
        environment.properties.insert("user.name".into(), "anna".into());
        expand(text, &environment, |key| match key {
            "dir" => Some("/data/${user.name}".into()),
            "self" => Some("x${self}".into()),
            "ping" => Some("${pong}".into()),
            "pong" => Some("${ping}".into()),
            _ => None,
        })
    }

    #[test]
    fn variables_come_from_the_environment_properties_and_keys() {
        assert_eq!(expanded("a ${dir}/b").as_deref(), Ok("a /data/anna/b"));
        assert_eq!(expanded("${env.HOME}").as_deref(), Ok("/home/anna"));
        assert_eq!(expanded("${env.NONE-x}${env.EMPTY-y}|${env.EMPTY:-z}").as_deref(), Ok("x|z"));
    }

    #[test]
    fn what_is_no_variable_stays() {
        for text in ["${unknown}", "${", "${}", "${a b}", "$dir", "${self}", "a$${b"] {
            assert_eq!(expanded(text).as_deref(), Ok(text));
        }
        assert_eq!(expanded("${a b}${user.name}").as_deref(), Ok("${a b}anna"));
        assert_eq!(expanded("${a${user.name}").as_deref(), Ok("${aanna"));
    }

    #[test]
    fn an_endless_chain_is_refused() {
        assert_eq!(expanded("${ping}"), Err(TooDeep));
    }
}
