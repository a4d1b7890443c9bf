//! As much of Java's serialization as keystores hold: sealed objects, and in them secret keys and Hadoop's metadata.
//!
//! ```text
//! stream:  0xACED 0x0005 | object
//! object:  0x73 class | its fields, from the topmost class down        0x75 class (`[B`) length u32 bytes
//!          0x74 utf   0x70 null   0x71 handle u32 (of what was met before, counted from 0x7E0000)
//! class:   0x72 name utf | uid u64 | flags u8 | fields u16 { type u8 | name utf | type name (`[`, `L`) }* | 0x78 |
//!          the class above, or null            0x71 handle
//! flags:   2 serializable, 1 the class wrote bytes of its own after the fields: { 0x77 length u8 bytes }* 0x78
//! ```
//!
//! Hadoop: javax.crypto.SealedObject, javax.crypto.spec.SecretKeySpec (Java 17),
//! org.apache.hadoop.crypto.key.JavaKeyStoreProvider.KeyMetadata (3.5.0)

use bytes::Bytes;
use hdfs_types::{Error, Result};

use super::sealing::Sealed;
use super::{Input, Key, put_utf};

const STREAM: [u8; 4] = [0xAC, 0xED, 0, 5];
const NULL: u8 = 0x70;
const REFERENCE: u8 = 0x71;
const CLASS: u8 = 0x72;
const OBJECT: u8 = 0x73;
const STRING: u8 = 0x74;
const ARRAY: u8 = 0x75;
const BLOCK: u8 = 0x77;
const END: u8 = 0x78;
const LONG_BLOCK: u8 = 0x7A;
const FIRST_HANDLE: u32 = 0x7E_0000;
const SERIALIZABLE: u8 = 2;
const WRITES_ITSELF: u8 = 1;
/// Classes above a class.
const MAX_DEPTH: usize = 8;
const MAX_FIELDS: u16 = 32;

const SEALED_OBJECT: (&str, u64) =
    ("com.sun.crypto.provider.SealedObjectForKeyProtector", 0xcd57_ca59_e730_bb53);
const SEALED_BASE: (&str, u64) = ("javax.crypto.SealedObject", 0x3e36_3da6_c3b7_5470);
const BYTES: (&str, u64) = ("[B", 0xacf3_17f8_0608_54e0);
const SECRET_KEY: (&str, u64) = ("javax.crypto.spec.SecretKeySpec", 0x5b47_0b66_e230_614d);
const KEY_METADATA: (&str, u64) = (
    "org.apache.hadoop.crypto.key.JavaKeyStoreProvider$KeyMetadata",
    8_405_872_419_967_874_451_u64,
);
const ALGORITHM: &str = "PBEWithMD5AndTripleDES";

fn damaged(what: &str) -> Error {
    Error::io(format!("the keystore holds a damaged object: {what}"))
}

#[derive(Clone, Debug)]
struct Field {
    kind: u8,
    name: String,
}

#[derive(Clone, Debug)]
struct Class {
    name: String,
    flags: u8,
    fields: Vec<Field>,
    /// Handle of the class above.
    above: Option<usize>,
}

#[derive(Clone, Debug)]
enum Value {
    Null,
    Text(String),
    Bytes(Bytes),
}

#[derive(Clone, Debug)]
enum Handle {
    Class(Class),
    Value(Value),
    /// An object itself: nothing here refers to one.
    Object,
}

/// An object with what its classes hold.
#[derive(Debug, Default)]
struct Object {
    class: String,
    fields: Vec<(String, Value)>,
    /// What the classes wrote themselves.
    written: Vec<u8>,
}

impl Object {
    fn bytes(&self, name: &str) -> Result<Bytes> {
        match self.field(name) {
            Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
            _ => Err(damaged(name)),
        }
    }

    fn text(&self, name: &str) -> Result<&str> {
        match self.field(name) {
            Some(Value::Text(text)) => Ok(text),
            _ => Err(damaged(name)),
        }
    }

    fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }
}

struct Reader<'a> {
    input: &'a mut Input,
    handles: Vec<Handle>,
}

impl Reader<'_> {
    /// The one object of a stream.
    fn object(input: &mut Input) -> Result<Object> {
        if input.array()? != STREAM {
            return Err(damaged("no stream"));
        }
        let mut reader = Reader { input, handles: Vec::new() };
        if reader.input.u8()? != OBJECT {
            return Err(damaged("no object"));
        }
        let class = reader.class(0)?.ok_or_else(|| damaged("an object without a class"))?;
        reader.handles.push(Handle::Object);
        let mut lineage = vec![reader.class_at(class)?];
        while let Some(above) = lineage.last().and_then(|class| class.above) {
            lineage.push(reader.class_at(above)?);
            if lineage.len() > MAX_DEPTH {
                return Err(damaged("too many classes"));
            }
        }
        let name = lineage.first().map(|class| class.name.clone()).unwrap_or_default();
        let mut object = Object { class: name, ..Object::default() };
        for class in lineage.into_iter().rev() {
            // A class that writes itself may leave its fields out. Hadoop's does, the only one with that flag here.
            if class.flags & WRITES_ITSELF != 0 {
                reader.written(&mut object.written)?;
                continue;
            }
            for field in class.fields {
                let value = reader.value(field.kind)?;
                object.fields.push((field.name, value));
            }
        }
        Ok(object)
    }

    fn class_at(&self, handle: usize) -> Result<Class> {
        match self.handles.get(handle) {
            Some(Handle::Class(class)) => Ok(class.clone()),
            _ => Err(damaged("a reference to no class")),
        }
    }

    fn reference(&mut self) -> Result<usize> {
        let handle = self.input.u32()?.checked_sub(FIRST_HANDLE);
        handle.map(|handle| handle as usize).ok_or_else(|| damaged("a reference"))
    }

    /// The handle of a class; none for null.
    fn class(&mut self, depth: usize) -> Result<Option<usize>> {
        match self.input.u8()? {
            NULL => return Ok(None),
            REFERENCE => return self.reference().map(Some),
            CLASS if depth < MAX_DEPTH => {}
            _ => return Err(damaged("a class")),
        }
        let name = self.input.utf()?;
        self.input.u64()?;
        let handle = self.handles.len();
        self.handles.push(Handle::Object);
        let flags = self.input.u8()?;
        let count = self.input.u16()?;
        if flags & SERIALIZABLE == 0 || count > MAX_FIELDS {
            return Err(damaged("a class of another kind"));
        }
        let mut fields = Vec::new();
        for _ in 0..count {
            let kind = self.input.u8()?;
            let name = self.input.utf()?;
            if matches!(kind, b'[' | b'L') {
                self.string()?;
            }
            fields.push(Field { kind, name });
        }
        if self.input.u8()? != END {
            return Err(damaged("annotations of a class"));
        }
        let above = self.class(depth + 1)?;
        if let Some(place) = self.handles.get_mut(handle) {
            *place = Handle::Class(Class { name, flags, fields, above });
        }
        Ok(Some(handle))
    }

    fn string(&mut self) -> Result<Value> {
        match self.input.u8()? {
            NULL => Ok(Value::Null),
            STRING => {
                let text = Value::Text(self.input.utf()?);
                self.handles.push(Handle::Value(text.clone()));
                Ok(text)
            }
            REFERENCE => self.known(),
            _ => Err(damaged("a string")),
        }
    }

    fn known(&mut self) -> Result<Value> {
        let handle = self.reference()?;
        match self.handles.get(handle) {
            Some(Handle::Value(value)) => Ok(value.clone()),
            _ => Err(damaged("a reference to no value")),
        }
    }

    fn value(&mut self, kind: u8) -> Result<Value> {
        match kind {
            b'L' => self.string(),
            b'[' => self.array(),
            _ => Err(damaged("a field of another kind")),
        }
    }

    fn array(&mut self) -> Result<Value> {
        match self.input.u8()? {
            NULL => return Ok(Value::Null),
            REFERENCE => return self.known(),
            ARRAY => {}
            _ => return Err(damaged("an array")),
        }
        let class = self.class(0)?.ok_or_else(|| damaged("an array without a class"))?;
        if self.class_at(class)?.name != BYTES.0 {
            return Err(damaged("an array of another kind"));
        }
        let place = self.handles.len();
        self.handles.push(Handle::Object);
        let bytes = Value::Bytes(self.input.block()?);
        if let Some(handle) = self.handles.get_mut(place) {
            *handle = Handle::Value(bytes.clone());
        }
        Ok(bytes)
    }

    /// The bytes that a class wrote itself, up to their end.
    fn written(&mut self, out: &mut Vec<u8>) -> Result<()> {
        loop {
            let bytes = match self.input.u8()? {
                BLOCK => {
                    let length = self.input.u8()?;
                    self.input.take(length.into())?
                }
                LONG_BLOCK => self.input.block()?,
                END => return Ok(()),
                _ => return Err(damaged("bytes of a class")),
            };
            out.extend_from_slice(&bytes);
        }
    }
}

/// Reads a sealed object.
pub(super) fn read_sealed(input: &mut Input) -> Result<Sealed> {
    let object = Reader::object(input)?;
    if object.class != SEALED_OBJECT.0 && object.class != SEALED_BASE.0 {
        return Err(damaged(&object.class));
    }
    let algorithm = object.text("sealAlg")?;
    if algorithm != ALGORITHM {
        return Err(Error::io(format!("the keystore's cipher {algorithm} is not supported")));
    }
    Sealed::new(&object.bytes("encodedParams")?, object.bytes("encryptedContent")?)
}

/// Reads a key that was sealed.
pub(super) fn read_key(plain: Bytes) -> Result<Key> {
    let object = Reader::object(&mut Input(plain))?;
    if object.class == SECRET_KEY.0 {
        let algorithm = object.text("algorithm")?.to_owned();
        return Ok(Key::Secret { algorithm, material: object.bytes("key")? });
    }
    if object.class == KEY_METADATA.0 {
        let json = Input(object.written.into()).block()?;
        return Ok(Key::Metadata(json));
    }
    Err(Error::io(format!("the keystore holds a {}: it is no key of Hadoop", object.class)))
}

/// Appends a sealed object.
pub(super) fn write_sealed(out: &mut Vec<u8>, sealed: &Sealed) {
    out.extend(STREAM);
    out.push(OBJECT);
    put_class(out, SEALED_OBJECT, SERIALIZABLE, 0);
    out.push(END);
    put_class(out, SEALED_BASE, SERIALIZABLE, 4);
    put_field(out, b'[', "encodedParams", Err("[B"));
    put_field(out, b'[', "encryptedContent", Ok(2));
    put_field(out, b'L', "paramsAlg", Err("Ljava/lang/String;"));
    put_field(out, b'L', "sealAlg", Ok(3));
    out.extend([END, NULL]);
    out.push(ARRAY);
    put_class(out, BYTES, SERIALIZABLE, 0);
    out.extend([END, NULL]);
    put_block(out, &sealed.parameters());
    out.push(ARRAY);
    put_reference(out, 5);
    put_block(out, sealed.content());
    put_string(out, ALGORITHM);
    put_string(out, ALGORITHM);
}

/// Appends a key as it is sealed.
pub(super) fn write_key(out: &mut Vec<u8>, key: &Key) {
    out.extend(STREAM);
    out.push(OBJECT);
    match key {
        Key::Secret { algorithm, material } => {
            put_class(out, SECRET_KEY, SERIALIZABLE, 2);
            put_field(out, b'L', "algorithm", Err("Ljava/lang/String;"));
            put_field(out, b'[', "key", Err("[B"));
            out.extend([END, NULL]);
            put_string(out, algorithm);
            out.push(ARRAY);
            put_class(out, BYTES, SERIALIZABLE, 0);
            out.extend([END, NULL]);
            put_block(out, material);
        }
        Key::Metadata(json) => {
            put_class(out, KEY_METADATA, SERIALIZABLE | WRITES_ITSELF, 1);
            let class = "Lorg/apache/hadoop/crypto/key/KeyProvider$Metadata;";
            put_field(out, b'L', "metadata", Err(class));
            out.extend([END, NULL]);
            let mut written = Vec::new();
            put_block(&mut written, json);
            put_written(out, &written);
            out.push(END);
        }
    }
}

fn put_class(out: &mut Vec<u8>, (name, uid): (&str, u64), flags: u8, fields: u16) {
    out.push(CLASS);
    put_utf(out, name);
    out.extend(uid.to_be_bytes());
    out.push(flags);
    out.extend(fields.to_be_bytes());
}

/// With the name of its type, or the handle of that name.
fn put_field(out: &mut Vec<u8>, kind: u8, name: &str, type_name: std::result::Result<u32, &str>) {
    out.push(kind);
    put_utf(out, name);
    match type_name {
        Ok(handle) => put_reference(out, handle),
        Err(text) => put_string(out, text),
    }
}

fn put_reference(out: &mut Vec<u8>, handle: u32) {
    out.push(REFERENCE);
    out.extend((FIRST_HANDLE | handle).to_be_bytes());
}

fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(STRING);
    put_utf(out, text);
}

fn put_block(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

/// In blocks, as Java's stream cuts them.
fn put_written(out: &mut Vec<u8>, bytes: &[u8]) {
    for block in bytes.chunks(1024) {
        match u8::try_from(block.len()) {
            Ok(length) => {
                out.extend([BLOCK, length]);
                out.extend(block);
            }
            Err(_) => {
                out.push(LONG_BLOCK);
                put_block(out, block);
            }
        }
    }
}
