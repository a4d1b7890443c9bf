//! Schemas of Avro: a list of types that refer to each other by their places, since named types may be recursive.

use std::collections::BTreeMap;

use serde_json::Value;

/// Types within types that are read.
const MAX_DEPTH: usize = 256;

/// One type.
#[derive(Debug)]
pub(super) enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed { name: String, length: u64 },
    Enum { name: String, symbols: Vec<String> },
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Record { name: String, fields: Vec<(String, usize)> },
}

impl Type {
    /// The name that tells the branch of a union.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Fixed { name, .. } | Self::Enum { name, .. } | Self::Record { name, .. } => name,
        }
    }
}

/// A schema.
#[derive(Debug)]
pub(super) struct Schema {
    types: Vec<Type>,
    root: usize,
}

impl Schema {
    /// Reads a schema.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| format!("the schema of the file is no JSON: {error}"))?;
        let mut parser = Parser { types: Vec::new(), names: BTreeMap::new() };
        let root = parser.add(&value, "", 0)?;
        Ok(Self { types: parser.types, root })
    }

    pub(super) fn root(&self) -> usize {
        self.root
    }

    pub(super) fn get(&self, at: usize) -> &Type {
        &self.types[at]
    }
}

struct Parser {
    types: Vec<Type>,
    names: BTreeMap<String, usize>,
}

impl Parser {
    fn push(&mut self, of: Type) -> usize {
        self.types.push(of);
        self.types.len() - 1
    }

    fn add(&mut self, value: &Value, namespace: &str, depth: usize) -> Result<usize, String> {
        if depth > MAX_DEPTH {
            return Err("the types of the schema are too deep in each other".into());
        }
        match value {
            Value::String(name) => self.named(name, namespace),
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.add(branch, namespace, depth + 1));
                let branches = branches.collect::<Result<_, _>>()?;
                Ok(self.push(Type::Union(branches)))
            }
            Value::Object(object) => self.object(object, namespace, depth),
            other => Err(format!("No type: {other}")),
        }
    }

    fn named(&mut self, name: &str, namespace: &str) -> Result<usize, String> {
        let of = match name {
            "null" => Type::Null,
            "boolean" => Type::Boolean,
            "int" => Type::Int,
            "long" => Type::Long,
            "float" => Type::Float,
            "double" => Type::Double,
            "bytes" => Type::Bytes,
            "string" => Type::String,
            name => {
                let known = self.names.get(&full_name(name, namespace));
                let known = known.or_else(|| self.names.get(name));
                return known.copied().ok_or_else(|| format!("Undefined name: \"{name}\""));
            }
        };
        Ok(self.push(of))
    }

    fn object(
        &mut self,
        object: &serde_json::Map<String, Value>,
        namespace: &str,
        depth: usize,
    ) -> Result<usize, String> {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let part = |key: &str| object.get(key).ok_or_else(|| format!("a type without {key}"));
        let own = text("namespace").unwrap_or(namespace);
        let full = || text("name").map(|name| full_name(name, own)).ok_or("a type without a name");
        match text("type") {
            Some("array") => {
                let items = self.add(part("items")?, namespace, depth + 1)?;
                Ok(self.push(Type::Array(items)))
            }
            Some("map") => {
                let values = self.add(part("values")?, namespace, depth + 1)?;
                Ok(self.push(Type::Map(values)))
            }
            Some("fixed") => {
                let (name, length) = (full()?, part("size")?.as_u64().ok_or("a size is negative")?);
                Ok(self.define(name.clone(), Type::Fixed { name, length }))
            }
            Some("enum") => {
                let symbols = part("symbols")?.as_array().into_iter().flatten();
                let symbols = symbols.filter_map(Value::as_str).map(str::to_owned).collect();
                let name = full()?;
                Ok(self.define(name.clone(), Type::Enum { name, symbols }))
            }
            Some("record" | "error") => {
                let name = full()?;
                let inner = name.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
                let empty = Type::Record { name: name.clone(), fields: Vec::new() };
                let at = self.define(name.clone(), empty);
                let mut fields = Vec::new();
                for field in part("fields")?.as_array().into_iter().flatten() {
                    let of = field.get("type").ok_or("a field without a type")?;
                    let of = self.add(of, &inner, depth + 1)?;
                    let field = field.get("name").and_then(Value::as_str).unwrap_or_default();
                    fields.push((field.to_owned(), of));
                }
                self.types[at] = Type::Record { name, fields };
                Ok(at)
            }
            // A type with a logical type or properties of its own around it.
            _ => self.add(part("type")?, namespace, depth + 1),
        }
    }

    fn define(&mut self, name: String, of: Type) -> usize {
        let at = self.push(of);
        self.names.insert(name, at);
        at
    }
}

fn full_name(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() {
        name.to_owned()
    } else {
        format!("{namespace}.{name}")
    }
}
